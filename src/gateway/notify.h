/* SPDX-License-Identifier: Apache-2.0
 *
 * What systemd is told (sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET names. Without one, nothing. Never
 * parks and never fails; from one thread. */
#pragma once
#include "base/err.h"

void notify_begin(void);     /* reads the environment, once */
void notify_ready(void);     /* at the start, and after a reload */
void notify_reloading(void); /* with the time, as Type=notify-reload wants it */
void notify_stopping(void);  /* the whole service ends, not only this process */
void notify_main_pid(
	int pid); /* another process is the service from now on; this one says nothing more */
int64_t notify_watchdog_us(void); /* how often notify_alive is due; 0: never */
void notify_alive(void);
