/* A device's program over the firmware library. */
int main(void) { return 0; }
