"""The only door to protobuf types: everything on the wire is made and read here, for client and broker."""
