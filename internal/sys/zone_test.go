package sys

import (
	"testing"
	"time"
)

func TestEveryWindowsZoneIsInTheDatabase(t *testing.T) {
	if len(windowsZones) < 130 {
		t.Fatalf("only %d zones", len(windowsZones))
	}
	for windows, iana := range windowsZones {
		if _, err := time.LoadLocation(iana); err != nil {
			t.Errorf("%s is %s, which is not there: %v", windows, iana, err)
		}
		if _, ok := Zone(windows); !ok {
			t.Errorf("%s is not known", windows)
		}
	}
}

func TestZonesAreThoseThatExchangeNames(t *testing.T) {
	for name, hour := range map[string]int{"Pacific Standard Time": 5, "W. Europe Standard Time": 14, "India Standard Time": 17, "Europe/Berlin": 14, "UTC": 12, "tzone://Microsoft/Utc": 12} {
		l, ok := Zone(name)
		if !ok || time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC).In(l).Hour() != hour {
			t.Errorf("%s is not what it is called", name)
		}
	}
	if _, ok := Zone("Customized Time Zone"); ok {
		t.Error("a zone that nobody knows is known")
	}
}
