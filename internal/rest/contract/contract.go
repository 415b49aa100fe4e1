// Package contract holds the shapes of the REST API: one Go type for each schema of api/openapi.yaml.
//
// The files *_gen.go are made by go generate and never edited; nothing here has behaviour. An optional value is a
// pointer (or a slice or map) and left out of JSON when nil; a value that the contract demands but lets be null is a
// pointer that becomes null. The tolerant reader of package rest looks enum values up in Enums.
package contract

//go:generate go run ./gen ../../../api/openapi.yaml .
