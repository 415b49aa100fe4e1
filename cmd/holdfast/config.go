package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"
)

// neverConfigured are flags that only a command line has.
var neverConfigured = []string{"help", "version", "config"}

// configure gives every flag that the command line leaves out the value of its HOLDFAST_… variable, else that of the configuration file.
func configure(cmd *cobra.Command) error {
	file, err := readConfig(cmd)
	if err != nil {
		return err
	}
	var first error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || first != nil || slices.Contains(neverConfigured, f.Name) {
			return
		}
		if v, ok := os.LookupEnv(variable(f.Name)); ok {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				first = fmt.Errorf("variable %s: %w", variable(f.Name), err)
			}
			return
		}
		if key := file.key(cmd, f.Name); key != "" {
			first = file.set(cmd.Flags(), f, key)
		}
	})
	return first
}

func variable(flag string) string {
	return "HOLDFAST_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// configFile holds values of flags: at the top for every command that has the flag, or below the names of one command ("job: {add: {repo: main}}").
type configFile struct {
	name string
	*koanf.Koanf
}

// key is where the file has a value for a flag of a command, the place of that very command before the top; "" when it has none.
func (c configFile) key(cmd *cobra.Command, flag string) string {
	path := strings.Fields(cmd.CommandPath())[1:]
	for n := len(path); n >= 0; n-- {
		if key := strings.Join(append(slices.Clone(path[:n]), flag), "."); c.Exists(key) {
			return key
		}
	}
	return ""
}

func (c configFile) set(flags *pflag.FlagSet, f *pflag.Flag, key string) error {
	values := []any{c.Get(key)}
	if list, ok := values[0].([]any); ok {
		values = list
	}
	for _, v := range values {
		if _, ok := v.(map[string]any); ok || v == nil {
			return fmt.Errorf("%s: %s needs a value", c.name, key)
		}
		if err := flags.Set(f.Name, fmt.Sprint(v)); err != nil {
			return fmt.Errorf("%s: %s: %w", c.name, key, err)
		}
	}
	return nil
}

// readConfig reads the file that --config names, else the first one that is there.
func readConfig(cmd *cobra.Command) (configFile, error) {
	c := configFile{Koanf: koanf.New(".")}
	asked, err := cmd.Flags().GetString("config")
	if err != nil {
		return c, err
	}
	if asked == "" {
		asked = os.Getenv(variable("config"))
	}
	names := []string{asked}
	if asked == "" {
		names = []string{"holdfast.yaml"}
		if dir, err := os.UserConfigDir(); err == nil {
			names = append(names, filepath.Join(dir, "holdfast", "holdfast.yaml"))
		}
		names = append(names, "/etc/holdfast/holdfast.yaml")
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && asked == "" {
			continue
		} else if err != nil {
			return c, fmt.Errorf("read the configuration: %w", err)
		}
		c.name = name
		if err := c.Load(bytesProvider(raw), yamlParser{}); err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
		return c, c.check(cmd.Root(), nil, c.Raw())
	}
	return c, nil
}

// check refuses keys that no command has: a mistyped key must not pass for a setting.
func (c configFile) check(cmd *cobra.Command, path []string, values map[string]any) error {
	for key, v := range values {
		at := append(slices.Clone(path), key)
		if below, ok := v.(map[string]any); ok {
			sub := child(cmd, key)
			if sub == nil {
				return fmt.Errorf("%s: there is no command %q", c.name, strings.Join(at, " "))
			}
			if err := c.check(sub, at, below); err != nil {
				return err
			}
			continue
		}
		if slices.Contains(neverConfigured, key) || !hasFlag(cmd, key) {
			return fmt.Errorf("%s: %s is no flag that could be set: \"%s --help\" lists them", c.name, strings.Join(at, "."), cmd.CommandPath())
		}
	}
	return nil
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}

// hasFlag says that a command or one below it has a flag.
func hasFlag(cmd *cobra.Command, name string) bool {
	if cmd.Flags().Lookup(name) != nil || cmd.PersistentFlags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil {
		return true
	}
	return slices.ContainsFunc(cmd.Commands(), func(sub *cobra.Command) bool { return hasFlag(sub, name) })
}

// bytesProvider gives koanf what was read.
type bytesProvider []byte

func (b bytesProvider) ReadBytes() ([]byte, error) { return b, nil }

func (b bytesProvider) Read() (map[string]any, error) { return nil, errors.New("bytes need a parser") }

// yamlParser reads YAML for koanf.
type yamlParser struct{}

func (yamlParser) Unmarshal(raw []byte) (map[string]any, error) {
	out := map[string]any{}
	err := yaml.NewDecoder(bytes.NewReader(raw)).Decode(&out)
	if errors.Is(err, io.EOF) {
		return out, nil // an empty file says nothing
	}
	return out, err
}

func (yamlParser) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.New("the configuration is never written")
}
