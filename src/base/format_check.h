/* SPDX-License-Identifier: MIT */
/* SLM_FORMAT(string, first): has the compiler check the arguments from number `first` on against the format string, argument `string`.
 * MinGW must be told that its library is asked for the formats of C, as the Makefile does. */
#ifndef SLM_BASE_FORMAT_CHECK_H
#define SLM_BASE_FORMAT_CHECK_H

#if defined(__MINGW32__)
#  define SLM_FORMAT(string, first) __attribute__((format(gnu_printf, string, first)))
#elif defined(__GNUC__)
#  define SLM_FORMAT(string, first) __attribute__((format(printf, string, first)))
#else
#  define SLM_FORMAT(string, first)
#endif

#endif
