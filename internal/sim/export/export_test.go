package export_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/internal/fasttransfer"
	"holdfast/internal/sim/export"
)

var public = [16]byte(fasttransfer.NewGUID("00020329-0000-0000-c000-000000000046"))

func item() export.Item {
	when := time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)
	return export.Item{
		Properties: []export.Property{
			export.Text(0x001a, "IPM.Note"), export.Text(0x0037, "Grüße ☕ \U0001f602"), export.Int(0x0017, 2), export.Time(0x0039, when), export.Bool(0x0e69, true),
			export.Texts(0, "Blue", "Größe").Named(public, 0, "Keywords"), export.Int(0, 7).Named(public, 0x8510, ""), export.Bytes(0x1013, []byte(strings.Repeat("<p>", 20_000))),
		},
		Recipients: [][]export.Property{{export.Int(0x0c15, 1), export.Text(0x3001, "A"), export.Text(0x39fe, "a@contoso.example")}},
		Attachments: []export.Attachment{
			{Properties: []export.Property{export.Int(0x3705, 1), export.Text(0x3707, "a.txt"), export.Bytes(0x3701, []byte("data"))}},
			{Properties: []export.Property{export.Int(0x3705, 5)}, Item: &export.Item{Properties: []export.Property{export.Text(0x0037, "inner")}}},
		},
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	got, err := export.Decode(export.Encode(item()))
	if err != nil {
		t.Fatal(err)
	}
	if want := item(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// The product's reader and writer were written apart from this one; each must understand the other.
func TestTheProductReadsItAndWritesItTheSame(t *testing.T) {
	data := export.Encode(item())
	m, err := fasttransfer.Read(bytes.NewReader(data), fasttransfer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Subject() != "Grüße ☕ \U0001f602" || m.Importance() != "high" || !m.Read() || !m.Sent().Equal(time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)) || !reflect.DeepEqual(m.Categories(), []string{"Blue", "Größe"}) ||
		m.Recipients[0].Address().Email != "a@contoso.example" || m.Attachments[0].Name() != "a.txt" || m.Attachments[1].Message.Subject() != "inner" {
		t.Errorf("%q, %s, %v, %v, %q", m.Subject(), m.Importance(), m.Read(), m.Sent(), m.Categories())
	}
	var out bytes.Buffer
	if err := fasttransfer.Amend(&out, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), data) {
		t.Error("copied by the product it is different")
	}
	out.Reset()
	if err := fasttransfer.Amend(&out, bytes.NewReader(data), fasttransfer.Amendment{Name: fasttransfer.Name{Set: public, Text: "Mark"}, Value: "restored"}); err != nil {
		t.Fatal(err)
	}
	got, err := export.Decode(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Properties[0]; p.Name != "Mark" || p.String() != "restored" || len(got.Properties) != len(item().Properties)+1 {
		t.Errorf("the mark: %+v", p)
	}
}

func TestDamageIsRefused(t *testing.T) {
	data := export.Encode(item())
	for n := range 400 {
		if _, err := export.Decode(data[:n]); err == nil {
			t.Fatalf("cut after %d bytes it is an item", n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(export.Encode(item()))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := export.Decode(data)
		if err != nil {
			return
		}
		// What the strict reader takes the product reads, too.
		m, err := fasttransfer.Read(bytes.NewReader(export.Encode(got)), fasttransfer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if len(m.Properties) != len(got.Properties) || len(m.Recipients) != len(got.Recipients) || len(m.Attachments) != len(got.Attachments) {
			t.Fatalf("%d properties, %d recipients, %d attachments; the simulator has %d, %d, %d", len(m.Properties), len(m.Recipients), len(m.Attachments), len(got.Properties), len(got.Recipients), len(got.Attachments))
		}
	})
}
