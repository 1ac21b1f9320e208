/* The version of the program: changed at a release, together with CHANGELOG.md. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SPANLEDGER_VERSION "0.1.0"

#endif
