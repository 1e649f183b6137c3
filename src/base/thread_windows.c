/* SPDX-License-Identifier: MIT */
/* Threads of Windows: identity, yielding, how many can be started, the affinity mask. */
#ifdef _WIN32
#  include "base/thread_system.h" /* the functions below */

#  define WIN32_LEAN_AND_MEAN
#  include <windows.h>

enum { MOST_PROBED = 1023 };

uintptr_t slm__thread_self(void) { return (uintptr_t)GetCurrentThreadId(); }

void slm__thread_yield(void) { SwitchToThread(); }

static DWORD WINAPI pass_gate(LPVOID gate) { return WaitForSingleObject(gate, INFINITE); }

uint32_t slm__thread_probe(uint32_t count)
{
    HANDLE threads[MOST_PROBED];
    HANDLE gate = CreateEventW(NULL, TRUE, FALSE, NULL);
    uint32_t started = 0;
    while (gate != NULL && started < count && started < MOST_PROBED) {
        threads[started] = CreateThread(NULL, 0, pass_gate, gate, 0, NULL);
        if (threads[started] == NULL) {
            break;
        }
        started++;
    }
    if (gate != NULL) {
        SetEvent(gate);
    }
    for (uint32_t i = 0; i < started; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
    if (gate != NULL) {
        CloseHandle(gate);
    }
    return started;
}

uint32_t slm__affinity_cpus(void)
{
    DWORD_PTR process = 0;
    DWORD_PTR system = 0;
    uint32_t cpus = 0;
    if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system)) {
        for (; process != 0; process &= process - 1) {
            cpus++;
        }
    }
    return cpus > 0 ? cpus : 1;
}
#else
typedef int slm_thread_windows_unused; /* ISO C wants a declaration in every file */
#endif
