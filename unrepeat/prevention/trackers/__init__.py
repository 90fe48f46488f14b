"""One file an issue tracker."""
