import Foundation
import LossDefinitions
import LossVerification
import Testing

/// What the chapter of the four defects says, read from its tables, which are those of the references.
@Suite struct DefectsTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// A table's cells by the loss of the row and the title of the column.
  private static func table(_ block: String) throws -> [String: [String: String]] {
    let text = try String(
      contentsOf: root.appendingPathComponent("Spec/Defects.md"), encoding: .utf8)
    let parts = text.components(separatedBy: "<!-- generated: \(block) -->\n")
    let rows = try #require(parts.dropFirst().first?.components(separatedBy: "<!-- end -->").first)
      .split(separator: "\n").map { line in
        line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      }
    let header = try #require(rows.first)
    var table: [String: [String: String]] = [:]
    for row in rows.dropFirst(2) {
      let title = row[0].replacing(/\[([^\]]*)\]\([^)]*\)/) { String($0.1) }
      table[title] = Dictionary(zip(header.dropFirst(), row.dropFirst())) { first, _ in first }
    }
    return table
  }

  private static func number(
    _ table: [String: [String: String]], _ loss: String, _ column: String
  ) throws -> Double {
    let cell = try #require(table[loss]?[column], "\(loss), \(column)")
    return try #require(Double(cell), "\(loss), \(column)")
  }

  @Test func everyLossOfBoxesIsThere() throws {
    for block in ["small", "answers", "price"] {
      let table = try Self.table(block)
      for entry in catalog where entry.loss.family == .boxes {
        #expect(table["\(entry.loss)"] != nil, "\(block): \(entry.loss)")
      }
    }
  }

  /// One pixel is nearly nothing to a large box, and the same to NWD at any side.
  @Test func smallObjects() throws {
    let small = try Self.table("small")
    for side in [4, 8, 16, 32, 64, 128, 256, 512] {
      let iou = try Self.number(small, "IoU", "\(side)")
      #expect(abs(iou - 2 / Double(side + 1)) < 1e-4)
      #expect(try Self.number(small, "NWD", "\(side)") == Self.number(small, "NWD", "4"))
    }
    let answers = try Self.table("answers")
    for loss in ["IoU", "GIoU", "DIoU", "CIoU", "EIoU", "SIoU"] {
      #expect(try Self.number(answers, loss, "small") > 10, "\(loss)")
    }
  }

  @Test func overlappingObjects() throws {
    let answers = try Self.table("answers")
    for loss in ["IoU", "GIoU"] {
      #expect(try Self.number(answers, loss, "told apart") == 0, "\(loss)")
    }
    for loss in ["DIoU", "CIoU", "EIoU", "MPDIoU", "NWD"] {
      #expect(try Self.number(answers, loss, "told apart") > 0, "\(loss)")
    }
    #expect(try Self.number(answers, "IoU", "apart") == 0)
    #expect(try Self.number(answers, "GIoU", "apart") > 0)
  }

  @Test func aspectRatios() throws {
    let answers = try Self.table("answers")
    for column in ["aspect", "shape"] {
      #expect(try Self.number(answers, "IoU", column) == 0)
    }
    for loss in ["CIoU", "EIoU"] {
      #expect(try Self.number(answers, loss, "aspect") > 0, "\(loss)")
    }
  }

  @Test func prices() throws {
    let price = try Self.table("price")
    for loss in ["IoU", "GIoU", "DIoU", "CIoU", "NWD", "MPDIoU"] {
      #expect(price[loss]?["falls while parting"] == "no", "\(loss)")
    }
    for loss in ["EIoU", "PowerfulIoU, version 2"] {
      #expect(price[loss]?["falls while parting"]?.hasPrefix("by ") == true, "\(loss)")
    }
    #expect(try Self.number(price, "CIoU", "largest") > 2.4)
    #expect(try Self.number(price, "EIoU", "largest") > 3.2)
    for loss in ["DIoU", "CIoU"] {
      #expect(price[loss]?["triangle"]?.contains(">") == true, "\(loss)")
    }
    for loss in ["IoU", "GIoU", "NWD"] {
      #expect(price[loss]?["triangle"] == "holds in 5", "\(loss)")
    }
    for loss in ["PowerfulIoU", "BoundedIoU"] { #expect(price[loss]?["symmetric"] == "no") }
    for loss in ["IoU", "GIoU", "DIoU", "CIoU", "EIoU", "SIoU", "NWD", "MPDIoU"] {
      #expect(price[loss]?["symmetric"] == "yes", "\(loss)")
    }
  }
}
