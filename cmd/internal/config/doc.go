// Package config reads mailflume's configuration.
package config
