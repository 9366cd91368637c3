"""The SSH door: how the application lives behind Twisted Conch."""
