// Package app wires the parts together: Server and Demo, each with New, Run and Close. It decides who is given what, nothing else.
package app
