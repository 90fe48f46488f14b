"""The shop's web application: browse, fill a cart, check out, pay."""
