package fasttransfer

import (
	"encoding/binary"
	"time"
)

// Sets of named properties.
var (
	setMAPI        = NewGUID("00020328-0000-0000-c000-000000000046")
	setPublic      = NewGUID("00020329-0000-0000-c000-000000000046")
	setHeaders     = NewGUID("00020386-0000-0000-c000-000000000046")
	setAppointment = NewGUID("00062002-0000-0000-c000-000000000046")
	setTask        = NewGUID("00062003-0000-0000-c000-000000000046")
	setAddress     = NewGUID("00062004-0000-0000-c000-000000000046")
	setCommon      = NewGUID("00062008-0000-0000-c000-000000000046")
	setNote        = NewGUID("0006200e-0000-0000-c000-000000000046")
	setMeeting     = NewGUID("6ed8da90-450b-101b-98da-00aa003f1305")
)

func tag(id uint32) Name         { return Name{ID: id} }
func appointment(id uint32) Name { return Name{Set: setAppointment, ID: id} }
func task(id uint32) Name        { return Name{Set: setTask, ID: id} }
func address(id uint32) Name     { return Name{Set: setAddress, ID: id} }
func common(id uint32) Name      { return Name{Set: setCommon, ID: id} }

// The properties that are looked at, by what MS-OXPROPS calls them.
var (
	propClass            = tag(0x001a)
	propImportance       = tag(0x0017)
	propReceiptRequested = tag(0x0029)
	propSensitivity      = tag(0x0036)
	propSubject          = tag(0x0037)
	propSubmitted        = tag(0x0039)
	propSubjectPrefix    = tag(0x003d)
	propTopic            = tag(0x0070)
	propThread           = tag(0x0071)
	propHeaders          = tag(0x007d)
	propReplyToNames     = tag(0x0050)
	propReplyToEntries   = tag(0x004f)
	propRecipientType    = tag(0x0c15)
	propDisplayBCC       = tag(0x0e02)
	propDisplayCC        = tag(0x0e03)
	propDisplayTo        = tag(0x0e04)
	propDelivered        = tag(0x0e06)
	propFlags            = tag(0x0e07)
	propSize             = tag(0x0e08)
	propNormalized       = tag(0x0e1d)
	propRead             = tag(0x0e69)
	propBody             = tag(0x1000)
	propRTF              = tag(0x1009)
	propHTML             = tag(0x1013)
	propNativeBody       = tag(0x1016)
	propMessageID        = tag(0x1035)
	propReferences       = tag(0x1039)
	propInReplyTo        = tag(0x1042)
	propFlagStatus       = tag(0x1090)
	propFlagCompleted    = tag(0x1091)
	propCreated          = tag(0x3007)
	propModified         = tag(0x3008)
	propInternetCodePage = tag(0x3fde)
	propMessageCodePage  = tag(0x3ffd)
	propCategories       = Name{Set: setPublic, Text: "Keywords"}
	propFlagRequest      = common(0x8530)
	propPrivate          = common(0x8506)

	propDisplayName    = tag(0x3001)
	propAddressType    = tag(0x3002)
	propEmail          = tag(0x3003)
	propSMTP           = tag(0x39fe)
	propRecipientFlags = tag(0x5ffd)
	propTrackStatus    = tag(0x5fff)

	propAttachSize        = tag(0x0e20)
	propAttachNumber      = tag(0x0e21)
	propAttachData        = tag(0x3701)
	propAttachExtension   = tag(0x3703)
	propAttachName        = tag(0x3704)
	propAttachMethod      = tag(0x3705)
	propAttachLongName    = tag(0x3707)
	propAttachPath        = tag(0x3708)
	propAttachLongPath    = tag(0x370d)
	propAttachType        = tag(0x370e)
	propAttachContentID   = tag(0x3712)
	propAttachLocation    = tag(0x3713)
	propAttachFlags       = tag(0x3714)
	propAttachURL         = Name{Set: setPublic, Text: "AttachmentProviderEndpointUrl"}
	propAttachmentFlags   = tag(0x7ffd)
	propAttachHidden      = tag(0x7ffe)
	propContactPhoto      = tag(0x7fff)
	propExceptionOriginal = tag(0x7ff9)
	propExceptionStart    = tag(0x7ffb)
	propExceptionEnd      = tag(0x7ffc)
)

// find gives the first property of this name.
func (o *Object) find(n Name) *Property {
	for i := range o.Properties {
		if p := &o.Properties[i]; p.is(n) {
			return p
		}
	}
	return nil
}

// Find gives the property of this name, and whether there is one. A name without a set is a property's number.
func (o *Object) Find(n Name) (Property, bool) {
	if p := o.find(n); p != nil {
		return *p, true
	}
	return Property{}, false
}

// maxText is how much of a text property is read into memory; bodies are read as streams.
const maxText = 4 << 20

func (o *Object) bytes(n Name, limit int64) []byte {
	p := o.find(n)
	if p == nil {
		return nil
	}
	b, err := p.Content().Bytes(limit)
	if err != nil {
		return nil
	}
	return b
}

// textPage is the code page of a property of text, if it is one.
func (o *Object) textPage(t Type) (int, bool) {
	if t&CodePage != 0 {
		page, _ := t.codePage()
		return page, true
	}
	switch t &^ Many {
	case TypeString:
		return pageUTF16, true
	case TypeString8:
		return o.codePage, true
	}
	return 0, false
}

// text gives a property of text in UTF-8, empty when there is none or it is of another type.
func (o *Object) text(n Name) string {
	p := o.find(n)
	if p == nil {
		return ""
	}
	page, ok := o.textPage(p.Type)
	if _, many, _ := p.Type.size(); !ok || many {
		return ""
	}
	b, err := p.Content().Bytes(maxText)
	if err != nil {
		return ""
	}
	return decodeText(b, page)
}

// texts gives a property of many texts.
func (o *Object) texts(n Name) []string {
	p := o.find(n)
	if p == nil {
		return nil
	}
	page, ok := o.textPage(p.Type)
	if !ok {
		return nil
	}
	if _, many, _ := p.Type.size(); !many {
		if s := o.text(n); s != "" {
			return []string{s}
		}
		return nil
	}
	b, err := p.Content().Bytes(maxText)
	if err != nil {
		return nil
	}
	var out []string
	for len(b) >= 4 {
		size := binary.LittleEndian.Uint32(b)
		if b = b[4:]; int64(size) > int64(len(b)) {
			return out
		}
		if s := decodeText(b[:size], page); s != "" {
			out = append(out, s)
		}
		b = b[size:]
	}
	return out
}

func (o *Object) number(n Name) (int64, bool) {
	p := o.find(n)
	if p == nil {
		return 0, false
	}
	return number(p.Type, p.small)
}

// Number is the value of a property of whole numbers, by its number.
func (o *Object) Number(id uint16) (int64, bool) { return o.number(Name{ID: uint32(id)}) }

func (o *Object) numberOr(n Name, otherwise int64) int64 {
	if v, ok := o.number(n); ok {
		return v
	}
	return otherwise
}

func (o *Object) flag(n Name) bool { return o.numberOr(n, 0) != 0 }

func (o *Object) float(n Name) float64 {
	p := o.find(n)
	if p == nil {
		return 0
	}
	v, _ := float(p.Type, p.small)
	return v
}

func (o *Object) time(n Name) time.Time {
	p := o.find(n)
	if p == nil || p.Type != TypeTime || len(p.small) != 8 {
		return time.Time{}
	}
	return fileTime(binary.LittleEndian.Uint64(p.small))
}
