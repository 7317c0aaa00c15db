"""One sitting: load generators measured in turn, on the same cores, against the same servers."""
