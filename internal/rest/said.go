package rest

import (
	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

// saidOf is a text of the server taken apart, for front ends that speak other languages; nil for free text.
func saidOf(text string) *contract.Said {
	s := holdfast.Understand(text)
	if s.Code == "" {
		return nil
	}
	out := saidToContract(s)
	out.Text = nil // it stands beside
	return &out
}

func saidToContract(s holdfast.Said) contract.Said {
	out := contract.Said{Code: optional(string(s.Code)), Text: &s.Text, With: s.With}
	for place, part := range s.Within {
		if out.Within == nil {
			out.Within = map[string]contract.Said{}
		}
		out.Within[place] = saidToContract(part)
	}
	return out
}
