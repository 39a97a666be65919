import { describe, expect, test } from "vitest";
import { backportsSources, parseAptSources } from "../../scripts/setup/apt-sources.mjs";
import { needsBackports, parseOsRelease } from "../../scripts/setup/lavapipe.mjs";

const DEB822 = `# the release
Types: deb
# a comment between fields
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdA
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;

const LIST = `# deb http://comment.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # a remark
deb [arch=amd64,arm64 signed-by=/etc/apt/keyrings/node.gpg] https://node.example/node_20.x nodistro main
deb-src http://mirror.example/debian bookworm main
`;

describe("parseAptSources", () => {
  test("the deb822 form, with comments, keys inside and disabled entries", () => {
    const sources = parseAptSources(DEB822, "debian.sources");
    expect(sources).toHaveLength(2);
    expect(sources[0]).toEqual({
      Types: "deb",
      URIs: "http://mirror.example/debian",
      Suites: "bookworm bookworm-updates",
      Components: "main contrib",
      "Signed-By": "/usr/share/keyrings/debian-archive-keyring.gpg",
    });
    expect(sources[1]["Signed-By"]).toContain("\n -----END PGP PUBLIC KEY BLOCK-----");
  });

  test("the one-line form, with options", () => {
    expect(parseAptSources(LIST, "/etc/apt/sources.list")).toEqual([
      { Types: "deb", URIs: "http://mirror.example/debian", Suites: "bookworm", Components: "main contrib" },
      {
        Types: "deb",
        URIs: "https://node.example/node_20.x",
        Suites: "nodistro",
        Components: "main",
        Architectures: "amd64 arm64",
        "Signed-By": "/etc/apt/keyrings/node.gpg",
      },
      { Types: "deb-src", URIs: "http://mirror.example/debian", Suites: "bookworm", Components: "main" },
    ]);
  });
});

describe("backportsSources", () => {
  test("takes server and key of the release's own entry and leaves strangers out", () => {
    for (const [text, name] of [
      [DEB822, "a.sources"],
      [LIST, "a.list"],
    ]) {
      const result = parseAptSources(
        backportsSources(parseAptSources(text, name), "bookworm") ?? "",
        "b.sources",
      );
      const backports = result.filter((source) => source.Suites === "bookworm-backports");
      expect(backports).toHaveLength(1);
      expect(backports[0]).toMatchObject({
        Types: "deb",
        URIs: "http://mirror.example/debian",
        Components: "main",
      });
      expect(result.some((source) => source.URIs?.includes("node.example"))).toBe(false);
      expect(result.some((source) => source.Suites.split(" ").includes("bookworm"))).toBe(true);
    }
    const [release] = parseAptSources(DEB822, "a.sources");
    expect(backportsSources([release], "bookworm")).toContain("Signed-By: /usr/share/keyrings/");
  });

  test("names backports once where the machine has them already", () => {
    const text =
      "deb http://m.example/debian bookworm main\ndeb http://m.example/debian bookworm-backports main\n";
    const result = backportsSources(parseAptSources(text, "a.list"), "bookworm");
    expect(result?.match(/bookworm-backports/g)).toHaveLength(1);
  });

  test("is null without an entry for the release", () => {
    expect(backportsSources(parseAptSources(LIST, "a.list"), "trixie")).toBeNull();
  });
});

test("only Debian before 13 needs backports", () => {
  const debian = parseOsRelease('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n');
  expect(needsBackports(debian)).toBe("bookworm-backports");
  expect(needsBackports({ ...debian, VERSION_ID: "13", VERSION_CODENAME: "trixie" })).toBeNull();
  expect(needsBackports({ ID: "ubuntu", VERSION_ID: "22.04", VERSION_CODENAME: "jammy" })).toBeNull();
  expect(needsBackports({})).toBeNull();
});
