/*
 * ip_address: what a text that is an IP address says. No other function reads one.
 */
#ifndef MDE_IP_ADDRESS_H
#define MDE_IP_ADDRESS_H

#include <stdbool.h>

#include "text.h"

struct mde_ip_address {
  /* In the order of the network. An IPv4 one as IPv6 maps it: ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
  unsigned char bytes[16];
  bool is_ipv4;         /* written as one */
  bool is_octal;        /* to some: a number of its IPv4 form begins with a needless zero */
  struct mde_text text; /* a part of what was read: without brackets and zone */
  struct mde_text zone; /* behind the percent sign (RFC 4007 11.2); absent without one */
};

/*
 * Whether a text is an address: an IPv4 one as four decimal numbers of up to three digits; an IPv6
 * one in any form of RFC 4291 2.2, alone or in square brackets, with or without a zone. `address`
 * is set only if it is.
 */
bool mde_ip_address_read(struct mde_text text, struct mde_ip_address *address);

/* 127.0.0.0/8 (RFC 1122 3.2.1.3) and ::1 (RFC 4291 2.5.3), however they are written. */
bool mde_ip_address_is_loopback(const struct mde_ip_address *address);

/* 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291 2.5.6), however they are written. */
bool mde_ip_address_is_link_local(const struct mde_ip_address *address);

#endif
