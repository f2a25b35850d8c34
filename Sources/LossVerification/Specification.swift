import Foundation
import LossDefinitions

/// The chapters and tables that speak of the catalog, held against it.
///
/// A chapter quotes its loss's reference, and lists its laws, its dialects and its accuracy, in
/// generated blocks; `updated` fills them, `findings` says where a file does not match.
public struct Specification: Sendable {
  /// The texts by path, relative to the package's root.
  public var files: [String: String]
  public var losses: [LossSummary]

  public static let accuracyFile = "Spec/accuracy.json"
  static let index = "Spec/README.md"
  static let readme = "README.md"

  public init(files: [String: String], losses: [LossSummary] = LossSummary.all) {
    self.files = files
    self.losses = losses
  }

  /// Reads the package at `root`.
  public init(root: String) throws {
    let base = URL(fileURLWithPath: root, isDirectory: true)
    var files: [String: String] = [:]
    for path in [Self.readme] + Self.paths(in: "Spec", of: base)
      + Self.paths(in: "Sources/LossDefinitions", of: base)
    {
      files[path] = try? String(contentsOf: base.appendingPathComponent(path), encoding: .utf8)
    }
    guard files.keys.contains(where: { $0.hasPrefix("Sources/LossDefinitions/") }) else {
      throw SpecificationFinding(root, 0, "not the root of the package: no Sources/LossDefinitions")
    }
    self.init(files: files)
  }

  private static func paths(in folder: String, of root: URL) -> [String] {
    let names = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
    return (names?.compactMap { $0 as? String } ?? [])
      .filter { name in [".md", ".swift", ".json", ".svg"].contains { name.hasSuffix($0) } }
      .map { "\(folder)/\($0)" }
  }

  // MARK: Checking

  /// Everything that does not hold, in the order of the catalog.
  public func findings() -> [SpecificationFinding] {
    var findings: [SpecificationFinding] = []
    switch accuracy {
    case .failure(let finding): findings.append(finding)
    case .success(let table):
      let names = Set(losses.map(\.name))
      for name in table.keys.sorted() where !names.contains(name) {
        findings.append(SpecificationFinding(Self.accuracyFile, 0, "no loss is named \"\(name)\""))
      }
    }
    for loss in losses {
      guard let chapter = chapter(of: loss) else {
        findings.append(SpecificationFinding(loss.chapter, 0, "\(loss.name) has no chapter"))
        continue
      }
      findings += chapter.findings(losses)
    }
    findings += strays()
    for (file, blocks) in Dictionary(grouping: tables, by: \.file).sorted(by: { $0.key < $1.key }) {
      guard let text = files[file] else {
        findings.append(SpecificationFinding(file, 0, "there is no such file"))
        continue
      }
      let document = ChapterDocument(file, text)
      for table in blocks {
        findings += document.findings(in: table.block, expecting: table.content)
      }
      findings += document.examples.flatMap { $0.findings(losses) }
    }
    return findings + figureFindings() + links()
  }

  /// Pictures that are not those of the references, or of nothing.
  private func figureFindings() -> [SpecificationFinding] {
    let figures = figures
    let stale = figures.keys.sorted().filter { files[$0] != figures[$0] }.map {
      SpecificationFinding($0, 0, "the picture is not up to date")
    }
    let strays = files.keys.sorted().filter { $0.hasSuffix(".svg") && figures[$0] == nil }.map {
      SpecificationFinding($0, 0, "no chapter has this picture")
    }
    return stale + strays
  }

  /// Chapters of no loss.
  private func strays() -> [SpecificationFinding] {
    let known = Set(losses.map(\.chapter))
    let folders = Set(Family.allCases.map { "Spec/\($0.rawValue)/" })
    return files.keys.sorted()
      .filter { path in
        path.hasSuffix(".md") && folders.contains { path.hasPrefix($0) } && !known.contains(path)
      }
      .map { SpecificationFinding($0, 0, "no loss of the catalog has this chapter") }
  }

  /// Links from one file of the specification to another that is not there.
  private func links() -> [SpecificationFinding] {
    var findings: [SpecificationFinding] = []
    for (file, text) in files.sorted(by: { $0.key < $1.key }) where file.hasSuffix(".md") {
      let folder = URL(fileURLWithPath: "/" + file).deletingLastPathComponent()
      for (i, line) in ChapterDocument(file, text).lines.enumerated() {
        for match in line.matches(of: /\]\(([^)#:\s]+\.(?:md|swift|svg))(?:#[^)]*)?\)/) {
          let target = folder.appendingPathComponent(String(match.1)).standardizedFileURL.path
          let path = String(target.dropFirst())
          let tracked = path.hasPrefix("Spec/") || path.hasPrefix("Sources/LossDefinitions/")
          if tracked, files[path] == nil {
            findings.append(
              SpecificationFinding(file, i + 1, "the link to \(match.1) leads nowhere"))
          }
        }
      }
    }
    return findings
  }

  // MARK: Generating

  /// The files whose generated blocks change, with their new texts.
  public func updated() -> [String: String] {
    var changed: [String: String] = [:]
    for loss in losses {
      guard let chapter = chapter(of: loss) else { continue }
      let text = chapter.updated()
      if text != files[loss.chapter] { changed[loss.chapter] = text }
    }
    for (file, block, content) in tables {
      guard let text = changed[file] ?? files[file] else { continue }
      var document = ChapterDocument(file, text)
      document.replace(block, with: content)
      if document.text != files[file] { changed[file] = document.text }
    }
    for (path, svg) in figures where files[path] != svg { changed[path] = svg }
    return changed
  }

  /// Takes the figures of verification's reports into the file of accuracy; a loss that they leave
  /// out keeps its own.
  public mutating func take(_ reports: [LossReport]) throws {
    var table = try accuracy.get()
    for report in reports {
      table[report.loss] = Accuracy(
        items: report.float.items + report.double.items,
        value: report.float.value.ulps.roundedUp, gradient: report.float.gradient.ulps.roundedUp,
        valueDouble: report.double.value.ulps.roundedUp,
        gradientDouble: report.double.gradient.ulps.roundedUp)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    files[Self.accuracyFile] = try String(decoding: encoder.encode(table), as: UTF8.self) + "\n"
  }

  private var accuracy: Result<[String: Accuracy], SpecificationFinding> {
    guard let text = files[Self.accuracyFile] else { return .success([:]) }
    do {
      return .success(try JSONDecoder().decode([String: Accuracy].self, from: Data(text.utf8)))
    } catch {
      return .failure(SpecificationFinding(Self.accuracyFile, 0, "unreadable: \(error)"))
    }
  }

  private var measured: [String: Accuracy] { (try? accuracy.get()) ?? [:] }

  private func chapter(of loss: LossSummary) -> Chapter? {
    files[loss.chapter].map {
      Chapter(loss, text: $0, source: files[loss.source] ?? "", accuracy: measured[loss.name])
    }
  }

  /// The generated tables outside the chapters.
  private var tables: [(file: String, block: String, content: [String])] {
    [(Self.index, "index", indexTable), (Self.readme, "losses", lossTable)]
      + Defects(losses).tables.map { (Defects.file, $0.block, $0.content) }
  }

  /// The pictures, by path.
  private var figures: [String: String] {
    var figures: [String: String] = [:]
    for loss in losses where Shift.isShown(loss) {
      figures[Shift.path(loss)] = try? Shift.figure(loss)
    }
    for (path, svg) in Defects(losses).figures { figures[path] = svg }
    return figures
  }

  private var indexTable: [String] {
    var lines: [String] = []
    for family in Family.allCases {
      let members = losses.filter { $0.family == family }
      if members.isEmpty { continue }
      lines += ["### \(family.rawValue)", "", "| chapter | name | |", "| --- | --- | --- |"]
      for loss in members {
        let abstract = files[loss.chapter].map { ChapterDocument(loss.chapter, $0).abstract }
        let link = "[\(loss.title)](\(loss.chapter.dropFirst("Spec/".count)))"
        lines.append("| \(link) | `\(loss.name)` | \(abstract ?? "") |")
      }
      lines.append("")
    }
    return lines.dropLast()
  }

  private var lossTable: [String] {
    let measured = measured
    return [
      "| loss | source | Float: value | gradient | Double: value | gradient |",
      "| --- | --- | --- | --- | --- | --- |",
    ]
      + losses.map { loss in
        let ulps =
          measured[loss.name].map {
            loss.kind == .assignment
              ? ["exact", "", "", ""]
              : [$0.value, $0.gradient, $0.valueDouble, $0.gradientDouble].map(\.brief)
          } ?? ["", "", "", ""]
        let file = loss.source.split(separator: "/").last ?? ""
        return "| [\(loss.title)](\(loss.chapter)) | [\(file)](\(loss.source)) | "
          + ulps.joined(separator: " | ") + " |"
      }
  }
}
