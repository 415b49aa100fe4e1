package vault

// held are the newest rows of a writer, encoded: as values they would be millions of small things that the garbage collector walks each time.
type held struct {
	at     map[key]heldAt
	pages  [][]byte
	blocks []*block          // that pieces lie in, by number; some are being filled
	number map[*block]uint64 // of blocks
	refs   []objectRef       // that pieces lie in and that are stored, by number
	size   int               // bytes in memory, about
	spare  encoder
}

// heldAt is where a row lies. It has no pointer.
type heldAt struct{ page, from, to uint32 }

const heldPage = 256 << 10

func newHeld() *held { return &held{at: map[key]heldAt{}, number: map[*block]uint64{}} }

// put keeps r in place of an earlier row of its id.
func (h *held) put(r *row) {
	var numbers []uint64 // of each piece in turn: even ones are blocks, odd ones stored objects
	for i := range r.payloads {
		for j := range r.payloads[i].pieces {
			c := &r.payloads[i].pieces[j]
			if c.block == nil {
				numbers = append(numbers, uint64(len(h.refs))<<1|1)
				h.refs = append(h.refs, c.ref)
				h.size += 64 + len(c.ref.id)
				continue
			}
			n, ok := h.number[c.block]
			if !ok {
				n = uint64(len(h.blocks))
				h.number[c.block], h.blocks = n, append(h.blocks, c.block)
				h.size += 128
			}
			numbers = append(numbers, n<<1)
			c.ref.packed = true
		}
	}
	h.spare.b = h.spare.b[:0]
	r.encode(&h.spare, func(objectRef) uint64 {
		n := numbers[0]
		numbers = numbers[1:]
		return n
	})
	data := h.spare.b
	last := len(h.pages) - 1
	if last < 0 || len(h.pages[last])+len(data) > cap(h.pages[last]) {
		h.pages = append(h.pages, make([]byte, 0, max(heldPage, len(data))))
		last++
	}
	from := len(h.pages[last])
	h.pages[last] = append(h.pages[last], data...)
	h.at[r.key()] = heldAt{uint32(last), uint32(from), uint32(from + len(data))}
	h.size += len(data) + 48
}

// get gives the row of an id; its pieces lie in blocks that may still be filled.
func (h *held) get(k key) (*row, bool, error) {
	at, ok := h.at[k]
	if !ok {
		return nil, false, nil
	}
	r, err := h.decode(at, func(b *block) (objectRef, *block) { return objectRef{packed: true, size: maxSize}, b })
	return r, err == nil, err
}

// all gives all rows; every block must have been stored.
func (h *held) all() ([]*row, error) {
	list := make([]*row, 0, len(h.at))
	for _, at := range h.at {
		r, err := h.decode(at, func(b *block) (objectRef, *block) { return b.ref, nil })
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func (h *held) decode(at heldAt, of func(*block) (objectRef, *block)) (*row, error) {
	return decodeRowBy(h.pages[at.page][at.from:at.to], func(n uint64) (objectRef, *block, bool) {
		i := n >> 1
		if n&1 == 1 && i < uint64(len(h.refs)) {
			return h.refs[i], nil, true
		}
		if n&1 == 1 || i >= uint64(len(h.blocks)) {
			return objectRef{}, nil, false
		}
		ref, b := of(h.blocks[i])
		return ref, b, true
	})
}
