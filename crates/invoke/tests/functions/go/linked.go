//go:build cgo

package main

// #include <pthread.h>
// static void *thread(void *told) { *(int *)told = 1; return told; }
// static int threads(void) {
//   pthread_t id; int told = 0;
//   return pthread_create(&id, 0, thread, &told) || pthread_join(id, 0) ? 0 : told;
// }
import "C"

// how answers by a thread that the C library made.
func how() string {
	if C.threads() != 1 {
		return "no thread"
	}
	return "linked"
}
