package sim

import (
	"fmt"
)

// States of a mailbox.
const (
	MailboxLicensed   = "licensed"
	MailboxUnlicensed = "unlicensed" // answers MailboxNotEnabledForRESTAPI
	MailboxGone       = "gone"       // answers 404
)

// SetMailbox licenses a user's mailbox, takes the licence, or removes the mailbox; its content stays for a later return.
func (s *Sim) SetMailbox(user, state string) error {
	u := s.dir.find(user)
	if u == nil {
		return fmt.Errorf("no user %q", user)
	}
	switch state {
	case MailboxLicensed, MailboxUnlicensed, MailboxGone:
	default:
		return fmt.Errorf("state %q: want licensed, unlicensed or gone", state)
	}
	s.dir.change(u, func(u *User) {
		u.licensed = state == MailboxLicensed
		u.mailbox = state != MailboxGone
	})
	return nil
}

func (s *Sim) mailControl() {}
