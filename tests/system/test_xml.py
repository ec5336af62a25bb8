#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What is not XML, or XML that is not taken: through SFTP, each with its notice."""

import forge
import hostile
import lib

market = None
pla = None


def truncated():
    """a signed report cut off at 100 places: XML_MALFORMED, and it reserves nothing"""
    document = pla.signed(message_id="CUT-OFF")
    pla.judge([*hostile.truncated(document), ("whole, under the same MessageId", document, [])])


def doctypes():
    """document types and entities: XML_FORBIDDEN"""
    pla.judge(hostile.doctypes(pla.text()))


def large():
    """20 MB of one thing, 100,000 attributes, a million names"""
    pla.judge(hostile.large())


def encodings():
    """bytes that are no text, encodings that are not taken, and those that are"""
    pla.judge(hostile.encodings(pla.text(), pla.signed))


def broken():
    """not well-formed, namespaces that are none"""
    pla.judge(hostile.broken(pla.text()))


def oversized():
    """a document over the configured size: the client is told at once, and nothing is taken"""
    document = pla.text() + " " * 30_000_000
    with market.sftp("PLA001") as s:
        try:
            lib.put(s, document.encode(), "oversized.xml")
            raise AssertionError("more than max_document_size was taken")
        except OSError:
            pass
    assert market.sql("SELECT count(*) FROM muhur.submission WHERE file_name = 'oversized.xml'") == [["0"]]
    pla.judge([])


if __name__ == "__main__":
    with lib.Market(conf="max_document_size = 28000000\n") as market:
        pla = forge.Forge(market)
        lib.main(truncated, doctypes, large, encodings, broken, oversized)
