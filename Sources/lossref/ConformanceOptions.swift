import Foundation
import LossDefinitions
import LossVerification

extension Conformance {
  /// What to ask, and how to judge it, as a command line says.
  init(_ arguments: inout Arguments) throws {
    self.init()
    losses = try arguments.options("--loss")
    dialect = try arguments.option("--dialect") ?? dialect
    let formats = Format.allCases.map(\.rawValue)
    if let name = try arguments.choice("--dtype", of: formats) {
      format = Format(rawValue: name) ?? format
    }
    if let cases: Int = try arguments.number("--cases") {
      guard cases > 0 else { throw UsageError("--cases needs a positive number, not \(cases)") }
      self.cases = cases
    }
    seed = try arguments.number("--seed") ?? seed
  }

  /// Reads `--strict` and `--known FILE`.
  mutating func takeJudging(_ arguments: inout Arguments) throws {
    isStrict = arguments.flag("--strict")
    guard let file = try arguments.option("--known") else { return }
    do {
      known = try KnownFailures(try Files.text(file, for: "--known"))
    } catch let error as KnownFailures.Malformed {
      throw UsageError("\(file), \(error)")
    }
  }
}

/// The files that a run is written to.
struct ReportFiles {
  private var files: [(name: String, text: (ConformanceRun) -> String)] = []

  init(_ arguments: inout Arguments) throws {
    let formats: [(String, (ConformanceRun) -> String)] = [
      ("--json", { $0.json.description + "\n" }),
      ("--junit", { ConformanceJUnit($0).text }),
      ("--markdown", { ConformanceMarkdown($0).text }),
      ("--html", { ConformancePage($0).text }),
    ]
    for (option, text) in formats {
      guard let name = try arguments.option(option) else { continue }
      // A run may take minutes, so what cannot be written is said before it.
      let folder = URL(fileURLWithPath: name).deletingLastPathComponent().path
      guard FileManager.default.fileExists(atPath: folder) else {
        throw UsageError("\(option) \(name): there is no folder \(folder)")
      }
      files.append((name, text))
    }
  }

  func write(_ run: ConformanceRun) throws {
    for (name, text) in files {
      try Data(text(run).utf8).write(to: URL(fileURLWithPath: name))
    }
  }
}

/// Files that are named on a command line.
enum Files {
  static func text(_ name: String, for option: String) throws -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) else {
      throw UsageError("\(option) \(name): there is no such file")
    }
    // A file handle reads pipes, too.
    guard !isFolder.boolValue, let file = FileHandle(forReadingAtPath: name),
      let data = try? file.readToEnd() ?? Data()
    else { throw UsageError("\(option) \(name): it cannot be read") }
    return String(decoding: data, as: UTF8.self)
  }
}
