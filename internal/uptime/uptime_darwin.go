package uptime

// clock is CLOCK_MONOTONIC of time.h, which counts while the machine sleeps.
const clock = 6
