import Foundation
import LossVerification

/// Holds the chapters against the catalog, or fills what is generated in them.
enum Spec: Command {
  static let name = "spec"
  static let abstract = "Hold the chapters against the catalog, or fill their tables"
  static let help = """
    usage: lossref spec check [--root DIR]
           lossref spec update [--root DIR] [--measured FILE]

    check     Names every place, by file and line, where the chapters do not match the catalog:
              headings, quoted references, laws, dialects, accuracy, the numbers of the examples, the
              pictures, and the tables in Spec/README.md, Spec/Defects.md and README.md. The exit
              status is 1 if there is one.
    update    Fills the generated blocks and draws the pictures, from the sources, the catalog and
              Spec/accuracy.json.

      --root DIR         the package (the current directory)
      --measured FILE    first takes the figures that `lossref verify --json` wrote into Spec/accuracy.json
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    let root = try arguments.option("--root") ?? "."
    let measured = try arguments.option("--measured")
    let action = arguments.operand()
    try arguments.finish()
    switch action {
    case "check" where measured == nil: return try check(root)
    case "update": return try update(root, measured: measured)
    default: throw UsageError("expected check or update")
    }
  }

  private static func check(_ root: String) throws -> Int32 {
    let specification = try Specification(root: root)
    let findings = specification.findings()
    for finding in findings { print(finding) }
    let chapters = specification.losses.count
    print("\(chapters) \(chapters == 1 ? "loss" : "losses"), \(findings.count) findings")
    return findings.isEmpty ? 0 : 1
  }

  private static func update(_ root: String, measured: String?) throws -> Int32 {
    let base = URL(fileURLWithPath: root, isDirectory: true)
    var specification = try Specification(root: root)
    let before = specification.files
    if let measured {
      let data = try Data(contentsOf: URL(fileURLWithPath: measured))
      try specification.take(JSONDecoder().decode([LossReport].self, from: data))
    }
    specification.files.merge(specification.updated()) { $1 }
    let changed = specification.files.filter { $0.value != before[$0.key] }
    for (path, text) in changed.sorted(by: { $0.key < $1.key }) {
      let file = base.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      print("updated \(path)")
    }
    return 0
  }
}
