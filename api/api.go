// Package api has the description of the REST API, from which the shapes in internal/rest/contract, the browser's client and the page about the API
// are made.
package api

import _ "embed"

// Description is openapi.yaml.
//
//go:embed openapi.yaml
var Description []byte
