"""One module for each thing that the API has routes for; each has a `router`."""
