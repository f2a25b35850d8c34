import Foundation

/// Curves over a common axis, in one panel above the other, as the text of an SVG file.
struct Plot {
  struct Curve {
    let name: String
    /// Where a number is not finite the line is broken.
    let points: [(x: Double, y: Double)]
  }

  struct Panel {
    let label: String
    let curves: [Curve]
  }

  struct Tick {
    let place: Double
    let label: String
  }

  let title: String
  /// What the horizontal axis is.
  let axis: String
  /// Marks of the horizontal axis; the usual round numbers if there are none.
  var ticks: [Tick] = []
  let panels: [Panel]

  private static let colours = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31",
  ]
  private static let (left, top, height, gap) = (64.0, 34.0, 180.0, 26.0)
  private static let width = 640.0

  private var hasLegend: Bool { panels.contains { $0.curves.count > 1 } }
  private var right: Double { hasLegend ? 500 : 620 }

  var svg: String {
    let whole = Self.top + Double(panels.count) * (Self.height + Self.gap) + 22
    let places = panels.flatMap { $0.curves.flatMap { $0.points.map(\.x) } }
    let x = Scale(places, onto: (Self.left, right), isWide: false)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.width.places(0)) "
        + "\(whole.places(0))\" font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
      text(title, Self.left, 20, anchor: "start", weight: "bold"),
    ]
    var start = Self.top
    for panel in panels {
      lines += draw(panel, x, from: start)
      start += Self.height + Self.gap
    }
    lines.append(text(axis, (Self.left + right) / 2, start + 12, anchor: "middle"))
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func draw(_ panel: Panel, _ x: Scale, from start: Double) -> [String] {
    let heights = panel.curves.flatMap { $0.points.map(\.y) }.filter(\.isFinite)
    let y = Scale(heights, onto: (start + Self.height, start), isWide: true)
    var lines: [String] = []
    for tick in y.ticks {
      let at = y.place(tick)
      lines.append(line(Self.left, at, right, at, tick == 0 ? "#808080" : "#e0e0e0"))
      lines.append(text(y.label(tick), Self.left - 6, at + 4, anchor: "end"))
    }
    let marks = ticks.isEmpty ? x.ticks.map { Tick(place: $0, label: x.label($0)) } : ticks
    for mark in marks {
      let at = x.place(mark.place)
      lines.append(line(at, start, at, start + Self.height, "#e0e0e0"))
      lines.append(text(mark.label, at, start + Self.height + 15, anchor: "middle"))
    }
    lines.append(
      "<text transform=\"translate(14 \((start + Self.height / 2).places(1))) rotate(-90)\" "
        + "text-anchor=\"middle\">\(panel.label)</text>")
    for (k, curve) in panel.curves.enumerated() {
      let colour = Self.colours[k % Self.colours.count]
      let dash = k < Self.colours.count ? "" : " stroke-dasharray=\"5 3\""
      for run in curve.points.split(whereSeparator: { !$0.y.isFinite }) {
        let points = run.map { "\(x.place($0.x).places(1)),\(y.place($0.y).places(1))" }
        lines.append(
          "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\"\(dash) points=\""
            + points.joined(separator: " ") + "\"/>")
      }
      let row = start + 12 + 16 * Double(k)
      if panel.curves.count > 1 {
        lines.append(line(right + 10, row - 4, right + 28, row - 4, colour, dash))
        lines.append(text(curve.name, right + 33, row, anchor: "start"))
      }
    }
    return lines
  }

  private func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, _ dash: String = ""
  ) -> String {
    "<line x1=\"\(x1.places(1))\" y1=\"\(y1.places(1))\" x2=\"\(x2.places(1))\" "
      + "y2=\"\(y2.places(1))\" stroke=\"\(colour)\"\(dash)/>"
  }

  private func text(
    _ text: String, _ x: Double, _ y: Double, anchor: String, weight: String = "normal"
  ) -> String {
    "<text x=\"\(x.places(1))\" y=\"\(y.places(1))\" text-anchor=\"\(anchor)\" "
      + "font-weight=\"\(weight)\">\(text)</text>"
  }
}

/// From the numbers of an axis to places on the page, with round numbers to mark.
private struct Scale {
  let low, high: Double
  let range: (Double, Double)
  let step: Double

  /// - Parameter isWide: whether the axis ends at round numbers instead of at the data's.
  init(_ numbers: [Double], onto range: (Double, Double), isWide: Bool) {
    var (low, high) = (numbers.min() ?? 0, numbers.max() ?? 1)
    if high - low < 1e-9 { (low, high) = (low - 0.5, high + 0.5) }
    let rough = (high - low) / 5
    let power = Foundation.pow(10, Foundation.floor(Foundation.log10(rough) + 1e-9))
    step = power * ([1, 2, 5].first { $0 * power >= rough * (1 - 1e-9) } ?? 10)
    if isWide {
      (low, high) = (
        Foundation.floor(low / step + 1e-9) * step, Foundation.ceil(high / step - 1e-9) * step
      )
    }
    (self.low, self.high, self.range) = (low, high, range)
  }

  func place(_ x: Double) -> Double {
    range.0 + (x - low) / (high - low) * (range.1 - range.0)
  }

  var ticks: [Double] {
    let (first, last) = (
      Int((low / step - 1e-9).rounded(.up)), Int((high / step + 1e-9).rounded(.down))
    )
    return first <= last ? (first...last).map { Double($0) * step } : []
  }

  func label(_ tick: Double) -> String {
    tick.places(Swift.max(0, -Int(Foundation.floor(Foundation.log10(step) + 1e-9))))
  }
}

extension Double {
  /// To four significant digits; below 1e-12 it is 0.
  var short: String { magnitude < 1e-12 ? "0" : String(format: "%.4g", self) }

  /// With so many digits after the point.
  func places(_ digits: Int) -> String {
    let text = String(format: "%.\(digits)f", self)
    return text.contains { $0 != "-" && $0 != "0" && $0 != "." }
      ? text : String(format: "%.\(digits)f", 0.0)
  }
}
