"""The same server as ours, written for others' libraries: each as small as it can correctly be."""
