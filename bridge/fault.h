/*
 * Named points at which the test build (VARIANT=faults) kills the process:
 * SIEMBRIDGE_CRASH_AT=name:n does it at the n-th time the point is reached.  In
 * the product the macro is empty.  A test finds every name by grep.
 */
#ifndef FAULT_H
#define FAULT_H

#ifdef FAULTS
void fault_reached(const char *name);
#define fault_point(name) fault_reached(name)
#else
#define fault_point(name) ((void)0)
#endif

#endif
