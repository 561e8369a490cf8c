"""Cut-outs over HTTP, and the page that asks for them."""
