"""The rules of insulting: pure, without Twisted, sockets or clocks."""
