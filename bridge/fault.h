/*
 * Named points at which the test build (VARIANT=faults) kills the process:
 * SIEMBRIDGE_CRASH_AT=name:n does it at the n-th time a process reaches the point.
 * In the product the macros are empty.  A test finds every name by grep.
 */
#ifndef FAULT_H
#define FAULT_H

#ifdef FAULTS
void fault_reached(const char *name);
void fault_spend(void);
#define fault_point(name) fault_reached(name)
/* The crash has happened: the supervisor's next children are to live. */
#define fault_spent() fault_spend()
#else
#define fault_point(name) ((void)0)
#define fault_spent()     ((void)0)
#endif

#endif
