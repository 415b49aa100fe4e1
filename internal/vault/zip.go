package vault

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// zip packs and unpacks zstd frames. It bounds how many do so at once and how much memory each takes.
type zip struct {
	fast, small *zstd.Encoder
	un          *zstd.Decoder
}

// unpackLimit bounds what one frame can unpack to, whatever it says.
const unpackLimit = 64 << 20

func newZip(writers int) *zip {
	enc := func(level zstd.EncoderLevel) *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(writers), zstd.WithEncoderLevel(level),
			zstd.WithWindowSize(512<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
		if err != nil {
			panic(fmt.Sprintf("zstd options: %v", err)) // constants above
		}
		return e
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(max(writers, 4)), zstd.WithDecoderMaxMemory(unpackLimit), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(fmt.Sprintf("zstd options: %v", err))
	}
	return &zip{fast: enc(zstd.SpeedFastest), small: enc(zstd.SpeedDefault), un: d}
}

// pack appends a frame of src to dst; small takes more time for less space.
func (z *zip) pack(dst, src []byte, small bool) []byte {
	if small {
		return z.small.EncodeAll(src, dst)
	}
	return z.fast.EncodeAll(src, dst)
}

func (z *zip) unpack(frame []byte, limit int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		return nil, fmt.Errorf("%w: %w", errGarbled, err)
	}
	var dst []byte
	if h.HasFCS {
		if h.FrameContentSize > uint64(limit) {
			return nil, fmt.Errorf("%w: a frame of %d bytes", errGarbled, h.FrameContentSize)
		}
		dst = make([]byte, 0, h.FrameContentSize)
	}
	out, err := z.un.DecodeAll(frame, dst)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errGarbled, err)
	} else if len(out) > limit {
		return nil, fmt.Errorf("%w: a frame of %d bytes", errGarbled, len(out))
	}
	return out, nil
}

func (z *zip) close() { z.un.Close() }
