/* SPDX-License-Identifier: BSD-2-Clause */
/* ring -- what posternd tells the keeper. */
#include "state/ring.h"

#include <sys/mman.h>
#include <sys/random.h>

/* Each entry: its length, its bytes, up to the next multiple of 8. */
#define HEAD_BYTES 8
#define SKIP UINT32_MAX /* go on at the start of `data` */

static uint64_t
entry_bytes(size_t len)
{
	return HEAD_BYTES + (len + 7) / 8 * 8;
}

struct ring *
ring_new(size_t bytes)
{
	struct ring *ring = mmap(NULL, sizeof(*ring) + bytes,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ring == MAP_FAILED)
		return NULL;
	ring->bytes = bytes;
	if (getrandom(&ring->nonce, sizeof(ring->nonce), 0) !=
	    sizeof(ring->nonce))
		ring->nonce = (uint64_t)time(NULL) << 32 | (uint64_t)getpid();
	return ring;
}

void
ring_free(struct ring *ring)
{
	(void)munmap(ring, sizeof(*ring) + ring->bytes);
}

static void
mark(struct ring *ring, uint64_t place, uint32_t len)
{
	memcpy(ring->data + (place & (ring->bytes - 1)), &len, sizeof(len));
}

bool
ring_put(struct ring *ring, struct str entry)
{
	uint64_t head = atomic_load(&ring->head);
	uint64_t room = ring->bytes - (head - atomic_load(&ring->tail));
	uint64_t to_end = ring->bytes - (head & (ring->bytes - 1));
	uint64_t need = entry_bytes(entry.len);
	uint64_t skipped = need > to_end ? to_end : 0;
	if (entry.len >= SKIP || need + skipped > room)
		return false;
	if (skipped > 0)
		mark(ring, head, SKIP);
	head += skipped;
	memcpy(ring->data + (head & (ring->bytes - 1)) + HEAD_BYTES, entry.p,
	    entry.len);
	mark(ring, head, (uint32_t)entry.len);
	atomic_store(&ring->head, head + need);
	return true;
}

bool
ring_wants_waking(struct ring *ring)
{
	return atomic_load(&ring->is_asleep) != 0 &&
	       atomic_exchange(&ring->is_asleep, 0) != 0;
}

bool
ring_sleep(struct ring *ring)
{
	atomic_store(&ring->is_asleep, 1);
	if (atomic_load(&ring->head) == atomic_load(&ring->tail))
		return true;
	atomic_store(&ring->is_asleep, 0);
	return false;
}

bool
ring_next(const struct ring *ring, uint64_t *place, struct str *ret)
{
	uint64_t head = atomic_load(&ring->head);
	for (int i = 0; i < 2 && *place < head; i++) {
		uint64_t at = *place & (ring->bytes - 1), to_end;
		uint32_t len;
		memcpy(&len, ring->data + at, sizeof(len));
		to_end = ring->bytes - at;
		if (len == SKIP) {
			*place += to_end;
			continue;
		}
		if (entry_bytes(len) > to_end)
			return false; /* it cannot be so */
		*ret = str_of(ring->data + at + HEAD_BYTES, len);
		*place += entry_bytes(len);
		return true;
	}
	return false;
}
