"""One file a vendor, named as in the webhook's address; each has a class ``Connector``.

Nothing here is imported before its vendor is used. CONTRIBUTING.md says what a file must offer.
"""
