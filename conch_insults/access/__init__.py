"""The rules of who may come in: pure, without Twisted, sockets or clocks."""
