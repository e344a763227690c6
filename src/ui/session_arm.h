/* A run of the Integrator/CP from the command line: board -> kernel -> run -> what the end was. The PC's is main.c. */
#ifndef UI_SESSION_ARM_H
#define UI_SESSION_ARM_H

#include "ui/options.h"

/* The exit status. */
int session_arm(struct options *o);

#endif
