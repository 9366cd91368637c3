"""The commands of `conch-insults`."""
