import Foundation
import LossDefinitions

/// The four defects of the IoU loss in numbers: the tables and pictures of `Spec/Defects.md`, made
/// from the references of every loss of boxes.
struct Defects {
  static let file = "Spec/Defects.md"

  /// A loss of boxes under one of its configurations.
  struct Row {
    let loss: LossSummary
    /// nil is the default.
    let configuration: String?

    var title: String { configuration.map { "\(loss.name), \($0)" } ?? loss.name }
    var link: String {
      let text = "[\(loss.title)](\(loss.family.rawValue)/\(loss.title).md)"
      return configuration.map { "\(text), \($0)" } ?? text
    }

    func value(_ p: [Double], _ t: [Double]) -> Double {
      gradient(p, t)?.value ?? .nan
    }

    /// The gradient's component along x.
    func slope(_ p: [Double], _ t: [Double]) -> Double {
      gradient(p, t).map { $0.prediction[0] + $0.prediction[2] } ?? .nan
    }

    private func gradient(_ p: [Double], _ t: [Double]) -> Gradient<Double>? {
      try? loss.gradient(at: Item(p, t), configuration: configuration)
    }
  }

  /// Configurations that are other functions than the default, besides it.
  private static let variants = [
    ("iou", "log, floor = 1e-6"), ("inner_iou", "ratio = 1.5"), ("powerful_iou", "version 2"),
    ("wise_iou", "version 2"), ("wise_iou", "version 3, mean = 0.1"),
  ]

  let rows: [Row]

  init(_ losses: [LossSummary]) {
    rows = losses.filter { $0.kind == .loss && $0.family == .boxes }.flatMap { loss in
      [Row(loss: loss, configuration: nil)]
        + Self.variants.filter { $0.0 == loss.name && loss.configurations.contains($0.1) }
        .map { Row(loss: loss, configuration: $0.1) }
    }
  }

  // MARK: Tables

  var tables: [(block: String, content: [String])] {
    rows.isEmpty ? [] : [("small", small), ("answers", answers), ("price", price)]
  }

  private static let sides = [4.0, 8, 16, 32, 64, 128, 256, 512]

  /// The loss of a square shifted by one pixel.
  private static func pixel(_ row: Row, _ side: Double) -> Double {
    row.value([1, 0, side + 1, side], [0, 0, side, side])
  }

  private var small: [String] {
    table("loss", Self.sides.map { $0.places(0) }) { row in
      Self.sides.map { Self.pixel(row, $0).short }
    }
  }

  private static let square = [0.0, 0, 10, 10]

  /// What each defect leaves unseen: 0 where a loss does not see it, 1 or more in the first column
  /// where a pixel weighs more on a small box.
  var answers: [String] {
    table("loss", ["small", "told apart", "apart", "aspect", "shape"]) { row in
      let root = 5 - 5 / 3.0.squareRoot()
      return [
        (Self.pixel(row, 8) / Self.pixel(row, 128)).short,
        (row.value([1, 2, 5, 6], Self.square) - row.value([3, 2, 7, 6], Self.square)).short,
        row.slope([15, 0, 25, 10], Self.square).short,
        (row.value([-5, 2.5, 15, 7.5], Self.square)
          - row.value([root, root, 10 - root, 10 - root], Self.square)).short,
        (row.value([2, 0, 22, 5], [0, 0, 20, 5]) - row.value([0, 0.5, 20, 5.5], [0, 0, 20, 5]))
          .short,
      ]
    }
  }

  var price: [String] {
    let header = ["falls while parting", "largest", "at the target", "symmetric", "triangle"]
    return table("loss", header) { row in
      let (p, t) = ([3.0, 1, 13, 6], [0.0, 0, 10, 20])
      let isSymmetric = Swift.abs(row.value(p, t) - row.value(t, p)) < 1e-12
      return [
        Self.fall(row), Self.largest(row).short, row.value(Self.square, Self.square).short,
        isSymmetric ? "yes" : "no", Self.triangle(row),
      ]
    }
  }

  /// By how much, and from where, the loss falls while a box moves away to the right.
  private static func fall(_ row: Row) -> String {
    var worst = (fall: 0.0, text: "no")
    for (w, h) in [(10.0, 10.0), (1, 1), (1, 10), (6, 8)] {
      var top = (value: -Double.infinity, shift: 0.0)
      for shift in stride(from: 0.0, through: 60, by: 0.5) {
        let (x, y) = (5 + shift - w / 2, 5 - h / 2)
        let value = row.value([x, y, x + w, y + h], square)
        if value > top.value { top = (value, shift) }
        if top.value - value > worst.fall + 1e-9 {
          let box = "\(w.places(0)) x \(h.places(0))"
          worst = (
            top.value - value,
            "by \((top.value - value).short) (\(box), from \(top.shift.places(1)))"
          )
        }
      }
    }
    return worst.text
  }

  private static func largest(_ row: Row) -> Double {
    let pairs: [([Double], [Double])] = [
      ([0, 0, 1e-6, 1e-6], [0, 0, 1, 1]), ([1000, 1000, 1100, 1001], [0, 0, 1, 100]),
      ([1e6, 1e6, 1_001_000, 1_000_001], [0, 0, 1, 1000]), ([1e4, 1e4, 10010, 10010], square),
      ([100, 3, 110, 13], square), ([1e4, 0, 10001, 1], square),
    ]
    return pairs.map { row.value($0.0, $0.1) }.max() ?? .nan
  }

  /// Three boxes of which the way by the second is shorter than the straight one.
  private static func triangle(_ row: Row) -> String {
    let triples: [([Double], [Double], [Double])] = [
      ([0, 0, 5, 1], [0, 0, 10, 1], [5, 0, 10, 1]),
      ([0, 0, 1, 1], [0, 0, 10, 10], [9, 9, 10, 10]),
      ([0, 0, 10, 1], [0, 0, 10, 10], [0, 0, 1, 10]),
      ([0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]),
      ([0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 4, 4]),
    ]
    for (a, b, c) in triples {
      let (direct, detour) = (row.value(a, c), row.value(a, b) + row.value(b, c))
      if direct > detour + 1e-12 { return "\(direct.short) > \(detour.short)" }
    }
    return "holds in \(triples.count)"
  }

  private func table(
    _ first: String, _ header: [String], _ cells: (Row) -> [String]
  ) -> [String] {
    [
      "| \(first) | " + header.joined(separator: " | ") + " |",
      "| --- |" + header.map { _ in " --- |" }.joined(),
    ] + rows.map { "| \($0.link) | " + cells($0).joined(separator: " | ") + " |" }
  }

  // MARK: Pictures

  var figures: [(path: String, svg: String)] {
    rows.isEmpty
      ? []
      : [("small", smallFigure), ("nested", nested), ("aspect", aspect), ("overlap", overlap)]
        .map { ("Spec/Figures/\($0.0).svg", $0.1.svg) }
  }

  private func curves(
    _ titles: [String], _ places: [Double], _ y: (Row, Double) -> Double
  ) -> [Plot.Curve] {
    titles.compactMap { title in rows.first { $0.title == title } }.map { row in
      Plot.Curve(name: row.title, points: places.map { ($0, y(row, $0)) })
    }
  }

  private var smallFigure: Plot {
    Plot(
      title: "A square one pixel off", axis: "its side, in pixels",
      ticks: (2...9).map { Plot.Tick(place: Double($0), label: "\(1 << $0)") },
      panels: [
        Plot.Panel(
          label: "loss",
          curves: curves(
            ["iou", "giou", "ciou", "nwd", "inner_iou", "inner_iou, ratio = 1.5"],
            Array(stride(from: 2, through: 9, by: 0.25))
          ) { Self.pixel($0, Foundation.pow(2, $1)) })
      ])
  }

  private var nested: Plot {
    Plot(
      title: "A square of side 4 inside one of side 10", axis: "offset of the centres",
      panels: [
        Plot.Panel(
          label: "loss",
          curves: curves(
            ["iou", "giou", "diou", "ciou", "eiou", "siou", "mpdiou", "powerful_iou"],
            Array(stride(from: -3, through: 3, by: 0.125))
          ) { $0.value([3 + $1, 3, 7 + $1, 7], Self.square) })
      ])
  }

  private var aspect: Plot {
    Plot(
      title: "Boxes of one area and one centre", axis: "width over height; the target's is 1",
      ticks: (-4...4).map { k in
        Plot.Tick(place: Double(k), label: k < 0 ? "1/\(1 << -k)" : "\(1 << k)")
      },
      panels: [
        Plot.Panel(
          label: "loss",
          curves: curves(
            ["iou", "giou", "ciou", "eiou", "siou", "shape_iou", "nwd", "bounded_iou"],
            Array(stride(from: -4, through: 4, by: 0.125))
          ) { row, exponent in
            let (w, h) = (
              10 * Foundation.pow(2, exponent / 2), 10 * Foundation.pow(2, -exponent / 2)
            )
            return row.value([5 - w / 2, 5 - h / 2, 5 + w / 2, 5 + h / 2], Self.square)
          })
      ])
  }

  private var overlap: Plot {
    Plot(
      title: "A square of the target's size, moved away along an axis", axis: "IoU",
      panels: [
        Plot.Panel(
          label: "loss",
          curves: curves(
            [
              "iou", "iou, log, floor = 1e-6", "alpha_iou", "focaler_iou", "focal_eiou", "wise_iou",
              "wise_iou, version 3, mean = 0.1", "powerful_iou, version 2",
            ], Array(stride(from: 0.02, through: 1, by: 0.02))
          ) { row, iou in
            let shift = 10 * (1 - iou) / (1 + iou)
            return row.value([shift, 0, shift + 10, 10], Self.square)
          })
      ])
  }
}
