# SPDX-License-Identifier: ISC
"""XML that somebody would send who means harm, or whose program is broken:
(what, bytes or text, reason codes), [] for what is accepted.  `good' is an
unsigned report, `signed' makes a signed one each time it is called."""

import re

DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
BR = "urn:muhur:xsd:balance-report:1"
ROOT = f'<BalanceReport xmlns="{BR}">'
END = "</BalanceReport>"

MALFORMED, FORBIDDEN, MISSING = ["XML_MALFORMED"], ["XML_FORBIDDEN"], ["SIG_MISSING"]
BIG = 20_000_000		# characters of one name, value, text or comment


def truncated(document, places=100):
    """Cut off at places evenly spread from the first byte to the last but one of the root's end tag."""
    last = document.rindex(b">")
    for n in range(places):
        at = 1 + n * (last - 1) // (places - 1)
        yield f"cut off after {at} of {len(document)} bytes", document[:at], MALFORMED


def doctypes(good):
    """document types and entities, of every kind"""
    def dtd(inner, use=""):
        return good.replace("?>", "?>\n<!DOCTYPE x " + inner + ">", 1).replace('"C1"', f'"C1{use}"', 1)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return [
        ("an empty document type", dtd("[]"), FORBIDDEN),
        ("billion laughs", dtd(f'[<!ENTITY l0 "ha">{laughs}]', "&l9;"), FORBIDDEN),
        ("quadratic expansion", dtd(f'[<!ENTITY q "{"q" * 50000}">]', "&q;" * 50000), FORBIDDEN),
        ("an entity that contains itself", dtd('[<!ENTITY a "&b;"><!ENTITY b "&a;">]', "&a;"), FORBIDDEN),
        ("external entity, a file", dtd('[<!ENTITY e SYSTEM "file:///etc/passwd">]', "&e;"), FORBIDDEN),
        ("external entity, a server", dtd('[<!ENTITY e SYSTEM "http://127.0.0.1:1/x">]', "&e;"), FORBIDDEN),
        ("parameter entity", dtd('[<!ENTITY % e SYSTEM "http://127.0.0.1:1/x">%e;]'), FORBIDDEN),
        ("external DTD", dtd('SYSTEM "http://127.0.0.1:1/x.dtd"'), FORBIDDEN),
        ("public DTD", dtd('PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://127.0.0.1:1/x.dtd"'), FORBIDDEN),
        ("an attribute made an ID", dtd("[<!ATTLIST BalanceReport Id ID #IMPLIED>]"), FORBIDDEN),
        ("a default attribute", dtd('[<!ATTLIST Bal Lck CDATA "9">]'), FORBIDDEN),
        ("20 MB of entities", dtd("[" + "".join(f'<!ENTITY e{n} "x">' for n in range(1000000)) + "]"), FORBIDDEN),
        ("a document type and more faults", dtd("[]") + "x", FORBIDDEN),
        ("undeclared entity", good.replace('"1.5"', '"&x;"', 1), MALFORMED),
        ("undeclared entity in text", good.replace("<Sequence>", "<Sequence>&nbsp;", 1), MALFORMED),
    ]


def large():
    """too much of one thing: refused as soon as the limit is passed"""
    def in_header(what):
        return ROOT + "<Header>" + what + "</Header>" + END
    signature = f'<s:Signature xmlns:s="{DS}">'
    return [
        ("nesting of 10,000", ROOT + "<a>" * 10000 + "</a>" * 10000 + END, FORBIDDEN),
        ("nesting of a million, never closed", "<a>" * 1000000, FORBIDDEN),
        ("nesting of 33", "<a>" * 33 + "</a>" * 33, FORBIDDEN),
        ("nesting of 32", "<a>" * 32 + "</a>" * 32, MISSING),
        ("an attribute of 20 MB", ROOT + '<Header a="' + "x" * BIG + '"/>' + END, FORBIDDEN),
        ("a text of 20 MB", in_header("x" * BIG), FORBIDDEN),
        ("a text of 20 MB in character references", in_header("&#120;" * (BIG // 6)), FORBIDDEN),
        ("a text of 20 MB in CDATA sections", in_header("<![CDATA[x]]>" * (BIG // 13)), FORBIDDEN),
        ("a CDATA section of 20 MB", in_header("<![CDATA[" + "x" * BIG + "]]>"), FORBIDDEN),
        ("blanks of 20 MB between elements", ROOT + " " * BIG + END, FORBIDDEN),
        ("a comment of 20 MB", ROOT + "<!--" + "x" * BIG + "-->" + END, FORBIDDEN),
        ("a name of 20 MB", ROOT + "<" + "x" * BIG + "/>" + END, FORBIDDEN),
        ("an attribute's name of 20 MB", ROOT + "<Header " + "x" * BIG + '="1"/>' + END, FORBIDDEN),
        ("a processing instruction of 20 MB", ROOT + "<?p " + "x" * BIG + "?>" + END, FORBIDDEN),
        ("blanks of 20 MB in a tag", "<a" + " " * BIG + "/>", FORBIDDEN),
        ("blanks of 20 MB before the root", " " * BIG + "<a/>", FORBIDDEN),
        ("blanks of 20 MB behind the root", "<a/>" + " " * BIG, FORBIDDEN),
        ("a namespace's name of 20 MB", '<a xmlns="urn:' + "x" * BIG + '"/>', FORBIDDEN),
        ("100,000 attributes", ROOT + "<Header " + " ".join(f'a{n}="1"' for n in range(100000)) + "/>" + END, FORBIDDEN),
        ("65 attributes", "<a " + " ".join(f'a{n}="1"' for n in range(65)) + "/>", FORBIDDEN),
        ("64 attributes", "<a " + " ".join(f'a{n}="1"' for n in range(64)) + "/>", MISSING),
        ("10,000 namespaces", "<a " + " ".join(f'xmlns:p{n}="urn:{n}"' for n in range(10000)) + "/>", FORBIDDEN),
        ("33 namespaces", "<a " + " ".join(f'xmlns:p{n}="urn:{n}"' for n in range(33)) + "/>", FORBIDDEN),
        ("160 namespaces in scope", "".join("<a " + " ".join(f'xmlns:p{m}x{n}="urn:{n}"' for n in range(32)) + ">"
                                            for m in range(5)) + "</a>" * 5, FORBIDDEN),
        ("a million distinct names", ROOT + "".join(f"<n{n}/>" for n in range(1000000)) + END, FORBIDDEN),
        ("a million distinct attributes", ROOT + "".join(f'<a n{n}="1"/>' for n in range(1000000)) + END, FORBIDDEN),
        ("a million distinct prefixes", "<a>" + "".join(f'<a xmlns:p{n}="urn:a"/>' for n in range(1000000)) + "</a>", FORBIDDEN),
        ("a million distinct names in a signature", ROOT + signature + "".join(f"<n{n}/>" for n in range(1000000)) +
         "</s:Signature>" + END, FORBIDDEN),
        ("a signature of 20 MB", ROOT + signature + "<s:a>x</s:a>" * (BIG // 12) + "</s:Signature>" + END, FORBIDDEN),
        ("a signature with a text of 20 MB", ROOT + signature + "x" * BIG + "</s:Signature>" + END, FORBIDDEN),
        ("comments, 20 MB of them", ROOT + "<!---->" * (BIG // 7) + END, MISSING),
        ("processing instructions, 20 MB of them", ROOT + "<?p?>" * (BIG // 5) + END, MISSING),
    ]


def encodings(good, signed):
    """bytes that are no text, and texts of other encodings"""
    raw = good.encode()
    utf16 = good.replace("UTF-8", "UTF-16")

    def as_utf16(document):
        return document.decode().replace("UTF-8", "UTF-16", 1)
    return [
        ("invalid UTF-8", raw.replace(b"C1", b"C\xff1"), MALFORMED),
        ("a lone continuation byte", raw.replace(b"C1", b"C\x801"), MALFORMED),
        ("overlong UTF-8", raw.replace(b"C1", b"C\xc0\xaf1"), MALFORMED),
        ("UTF-8 of a surrogate", raw.replace(b"C1", b"C\xed\xa0\x801"), MALFORMED),
        ("UTF-8 above U+10FFFF", raw.replace(b"C1", b"C\xf4\x90\x80\x801"), MALFORMED),
        ("UTF-8 cut within a character", raw.replace(b"C1", b"\xc4"), MALFORMED),
        ("NUL", raw.replace(b"C1", b"C\x001"), MALFORMED),
        ("NUL by reference", good.replace("C1", "C&#0;1"), MALFORMED),
        ("a control character", good.replace("C1", "C\x081"), MALFORMED),
        ("a control character by reference", good.replace("C1", "C&#8;1"), MALFORMED),
        ("a surrogate by reference", good.replace("C1", "C&#xD800;1"), MALFORMED),
        ("U+FFFE", good.replace("C1", "C\ufffe1"), MALFORMED),
        ("UTF-7", good.replace("UTF-8", "UTF-7").replace("<Bal ", "+ADw-Bal "), MALFORMED),
        ("UTF-32", good.replace("UTF-8", "UTF-32").encode("utf-32"), MALFORMED),
        ("EBCDIC", good.replace("UTF-8", "IBM037").encode("cp037"), MALFORMED),
        ("an unknown encoding", good.replace("UTF-8", "X-NONE"), MALFORMED),
        ("UTF-16 said, UTF-8 sent", utf16, MALFORMED),
        ("UTF-8 said, UTF-16 sent", good.encode("utf-16"), MALFORMED),
        ("UTF-16LE said, big end first", b"\xfe\xff" + good.replace("UTF-8", "UTF-16LE").encode("utf-16-be"), MALFORMED),
        ("UTF-16BE said, little end first", b"\xff\xfe" + good.replace("UTF-8", "UTF-16BE").encode("utf-16-le"), MALFORMED),
        ("ISO-8859-1 said behind UTF-8's BOM", b"\xef\xbb\xbf" + raw.replace(b"UTF-8", b"ISO-8859-1"), MALFORMED),
        ("UTF-16 cut in a character", utf16.encode("utf-16")[:-3], MALFORMED),
        ("UTF-16, a lone high surrogate", utf16.encode("utf-16-le").replace("C1".encode("utf-16-le"), b"\x00\xd8"), MALFORMED),
        ("UTF-16, a lone low surrogate", b"\xff\xfe" + utf16.encode("utf-16-le").replace(
            "C1".encode("utf-16-le"), b"\x00\xdc"), MALFORMED),
        ("UTF-16, surrogates in the wrong order", b"\xff\xfe" + utf16.encode("utf-16-le").replace(
            "C1".encode("utf-16-le"), b"\x00\xdc\x00\xd8"), MALFORMED),
        ("the BOM twice", b"\xef\xbb\xbf\xef\xbb\xbf" + raw, MALFORMED),
        ("the BOM of the other order", b"\xfe\xff" + utf16.encode("utf-16-le"), MALFORMED),
        ("half a BOM", b"\xef\xbb" + raw, MALFORMED),
        ("the BOM alone", b"\xef\xbb\xbf", MALFORMED),
        ("half a character behind UTF-16", as_utf16(signed()).encode("utf-16") + b"\n", MALFORMED),
        ("unsigned UTF-16", utf16.encode("utf-16"), MISSING),
        ("BOM", b"\xef\xbb\xbf" + signed(), []),
        ("UTF-16 with its BOM", as_utf16(signed()).encode("utf-16"), []),
        ("UTF-16, big end first", b"\xfe\xff" + as_utf16(signed()).encode("utf-16-be"), []),
        ("US-ASCII", signed().replace(b"UTF-8", b"US-ASCII", 1), []),
        ("ISO-8859-1", signed().replace(b"UTF-8", b"ISO-8859-1", 1), []),
        ("no declaration", re.sub(rb"^<\?xml[^>]*>\s*", b"", signed()), []),
    ]


def broken(good):
    """what is not well-formed, or no XML at all"""
    return [
        ("no XML", b"Dear registry, please find our balances attached.\n", MALFORMED),
        ("one byte", b"<", MALFORMED),
        ("one blank", b" ", MALFORMED),
        ("zeros", bytes(1000), MALFORMED),
        ("gzip", b"\x1f\x8b\x08\x00" + bytes(100), MALFORMED),
        ("zip", b"PK\x03\x04" + bytes(100), MALFORMED),
        ("JSON", b'{"BalanceReport": {}}', MALFORMED),
        ("XML 1.1", good.replace('version="1.0"', 'version="1.1"'), MALFORMED),
        ("XML 2.0", good.replace('version="1.0"', 'version="2.0"'), MALFORMED),
        ("blanks before the declaration", " " + good, MALFORMED),
        ("the declaration twice", good.replace("?>", "?><?xml version='1.0'?>", 1), MALFORMED),
        ("attribute twice", good.replace('Qty="1.5"', 'Qty="1.5" Qty="1.5"'), MALFORMED),
        ("attribute twice, by two prefixes", '<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="1"/>', MALFORMED),
        ("attribute without quotes", good.replace('Qty="1.5"', "Qty=1.5"), MALFORMED),
        ("< in an attribute", good.replace('"C1"', '"C<1"'), MALFORMED),
        ("]]> in text", good.replace("<Sequence>", "<Sequence>]]>"), MALFORMED),
        ("-- in a comment", good.replace("<Balances>", "<Balances><!-- a -- b -->"), MALFORMED),
        ("tags crossed", good.replace("</Balances>\n</BalanceReport>", "</BalanceReport></Balances>"), MALFORMED),
        ("undeclared prefix", good.replace("<Bal ", "<x:Bal "), MALFORMED),
        ("undeclared prefix of an attribute", good.replace("Qty=", "x:Qty="), MALFORMED),
        ("prefix undeclared again", good.replace("<Balances>", '<Balances xmlns:x="">'), MALFORMED),
        ("xml bound to another name", '<a xmlns:xml="urn:x"/>', MALFORMED),
        ("xmlns bound", '<a xmlns:xmlns="http://www.w3.org/2000/xmlns/"/>', MALFORMED),
        ("two colons in a name", "<a:b:c xmlns:a='urn:a'/>", MALFORMED),
        ("relative namespace", '<a xmlns="x"/>', FORBIDDEN),
        ("namespace with an ampersand", '<a xmlns="urn:x&amp;y"/>', FORBIDDEN),
        ("namespace with a blank", '<a xmlns="urn:x y"/>', MALFORMED),
    ]
