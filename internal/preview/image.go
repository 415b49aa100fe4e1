package preview

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	"holdfast/internal/holdfast"
)

// imageType is the media type of the kinds of images that are shown, by their first bytes; what a file is called does not count. SVG is
// a program, so it is shown as text.
func imageType(start []byte) string {
	switch {
	case bytes.HasPrefix(start, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(start, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(start, []byte("GIF87a")), bytes.HasPrefix(start, []byte("GIF89a")):
		return "image/gif"
	case len(start) >= 16 && bytes.HasPrefix(start, []byte("RIFF")) && string(start[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}

// checkImage says why an image is not shown.
func checkImage(kind string, data []byte, limit int) error {
	if len(data) > limit {
		return errors.New(holdfast.SayImageLarge.With(limit >> 20))
	}
	var w, h int
	if kind == "image/webp" {
		var ok bool
		if w, h, ok = webpSize(data); !ok {
			return errors.New(holdfast.SayImageGarbled.With())
		}
	} else {
		c, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return errors.New(holdfast.SayImageGarbled.With())
		}
		w, h = c.Width, c.Height
	}
	if w <= 0 || h <= 0 || int64(w)*int64(h) > maxPixels {
		return errors.New(holdfast.SayImageMany.With(w, h))
	}
	return nil
}

// webpSize reads the size out of a WebP file's first chunk.
func webpSize(b []byte) (w, h int, ok bool) {
	if len(b) < 30 {
		return 0, 0, false
	}
	switch string(b[12:16]) {
	case "VP8X":
		return 1 + (int(b[24]) | int(b[25])<<8 | int(b[26])<<16), 1 + (int(b[27]) | int(b[28])<<8 | int(b[29])<<16), true
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[21:25])
		return 1 + int(bits&0x3fff), 1 + int(bits>>14&0x3fff), b[20] == 0x2f
	case "VP8 ":
		return int(binary.LittleEndian.Uint16(b[26:28]) & 0x3fff), int(binary.LittleEndian.Uint16(b[28:30]) & 0x3fff), string(b[23:26]) == "\x9d\x01\x2a"
	}
	return 0, 0, false
}
