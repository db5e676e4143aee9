"""XML from outside: no DTD, hence no entities; nothing is fetched.

Expat of the standard library, with a handler that refuses a document type: there is no second
parser to keep up to date, and without a DTD no entity can be declared.
https://docs.python.org/3/library/xml.html#xml-vulnerabilities
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from shared.errors import RequestError

_DEPTH = 32


def xml_of(body: bytes) -> Element:
    """The root of a document; names without their namespaces.

    Raises:
        RequestError: 400, with where it goes wrong and nothing of what it holds.
    """
    builder, open_elements = TreeBuilder(), 0
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal open_elements
        open_elements += 1
        if open_elements > _DEPTH:
            raise _refused(f"nested deeper than {_DEPTH} elements")
        builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal open_elements
        open_elements -= 1
        builder.end(_local(name))

    def doctype(*_: object) -> None:
        raise _refused("a document type (DTD) is not accepted")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)  # noqa: FBT003 - it takes no names
        return builder.close()
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise _refused(f"line {error.lineno}, column {error.offset}: {said}") from None
    except (LookupError, ValueError):
        raise _refused("its encoding is not known") from None


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refused(why: str) -> RequestError:
    return RequestError(400, "Not XML", why)
