/* The version of the program, as `siembridge --version` and the console say it. */
#ifndef VERSION_H
#define VERSION_H

#define VERSION "0.1.0"

#endif
