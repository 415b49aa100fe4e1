package fasttransfer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// rtfStart is what the dictionary of compressed RTF begins with (MS-OXRTFCP 2.1.3.1.1).
const rtfStart = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` + "\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

const (
	rtfCompressed   = 0x75465a4c // LZFu
	rtfUncompressed = 0x414c454d // MELA
	maxRTF          = 256 << 20
)

// rtfReader decompresses as it is read.
type rtfReader struct {
	in      *bufio.Reader
	left    int64 // bytes that the head promised
	flags   byte
	bits    int // of flags that are not used yet
	dict    [4096]byte
	at      int // where in dict the next byte goes
	from, n int // a run of dict that is not given on whole
	done    bool
}

// decompressRTF gives the RTF of the property that holds it compressed.
func decompressRTF(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	var head [16]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, fmt.Errorf("compressed RTF: its head: %w", err)
	}
	size := int64(binary.LittleEndian.Uint32(head[4:]))
	switch kind := binary.LittleEndian.Uint32(head[8:]); {
	case size > maxRTF:
		return nil, fmt.Errorf("compressed RTF: it would have %d bytes", size)
	case kind == rtfUncompressed:
		return io.LimitReader(in, size), nil
	case kind != rtfCompressed:
		return nil, fmt.Errorf("compressed RTF: unknown kind %#08x", kind)
	}
	z := &rtfReader{in: in, left: size}
	z.at = copy(z.dict[:], rtfStart)
	return z, nil
}

func (z *rtfReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && z.left > 0 && !z.done {
		if z.n == 0 {
			if err := z.next(); err != nil {
				return n, err
			}
			continue
		}
		b := z.dict[z.from]
		z.from, z.n = (z.from+1)&4095, z.n-1
		z.dict[z.at] = b
		z.at = (z.at + 1) & 4095
		p[n] = b
		n++
		z.left--
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// next reads a byte, which becomes a run of itself, or a run.
func (z *rtfReader) next() error {
	if z.bits == 0 {
		b, err := z.in.ReadByte()
		if err != nil {
			return z.ended(err)
		}
		z.flags, z.bits = b, 8
	}
	run := z.flags&1 != 0
	z.flags, z.bits = z.flags>>1, z.bits-1
	b, err := z.in.ReadByte()
	if err != nil {
		return z.ended(err)
	}
	if !run {
		z.dict[z.at] = b
		z.from, z.n = z.at, 1
		return nil
	}
	second, err := z.in.ReadByte()
	if err != nil {
		return z.ended(err)
	}
	z.from, z.n = int(b)<<4|int(second)>>4, int(second&15)+2
	if z.from == z.at { // a run from where the next byte goes is the end
		z.n, z.done = 0, true
	}
	return nil
}

func (z *rtfReader) ended(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("compressed RTF: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// compressRTF writes RTF in the form that is not compressed, which every reader takes.
func compressRTF(rtf []byte) []byte {
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(rtf)+12))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(rtf)))
	head = binary.LittleEndian.AppendUint32(head, rtfUncompressed)
	return append(binary.LittleEndian.AppendUint32(head, 0), rtf...)
}
