"""What nodes of several capabilities share: sockets, inputs, folders, pages."""
