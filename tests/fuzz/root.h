/* SPDX-License-Identifier: ISC */
#ifndef MUHUR_FUZZ_ROOT_H
#define MUHUR_FUZZ_ROOT_H

/* A root that leads nowhere: nothing of a corpus can be VALID. */
static const char root[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdzCCAR2gAwIBAgIUCY1xH0BlchopXpwJQpA0qPnQFqYwCgYIKoZIzj0EAwIw\n"
    "ETEPMA0GA1UEAwwGbm9ib2R5MB4XDTI2MTEyMTIyMzEyNFoXDTM2MTExODIyMzEy\n"
    "NFowETEPMA0GA1UEAwwGbm9ib2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
    "vChTASPZGkO+AtHgIeOwB16Arw64b3N3Ud5e5DNWElK5Jy+3M1BC/pE02IbIYn54\n"
    "k7FH9wJAOa9qn7KMjggOMKNTMFEwHQYDVR0OBBYEFCYKvK5k6VfHYNKAdGuxUQgc\n"
    "l5EtMB8GA1UdIwQYMBaAFCYKvK5k6VfHYNKAdGuxUQgcl5EtMA8GA1UdEwEB/wQF\n"
    "MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAPII2bOmQxQM/IgSOshvJPUHDNmIFa/u\n"
    "zD+hmjndxqtRAiAS92NWGRT3M4sva/gijhnuTe6UAwPrxs5Hftn70Skl/g==\n"
    "-----END CERTIFICATE-----\n";

#endif
