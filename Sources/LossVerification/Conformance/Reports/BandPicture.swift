import Foundation

/// A number on the line of its band, as the text of an SVG element.
struct BandPicture {
  let reading: Reading
  let band: Band
  let id: String

  private static let (width, height) = (360.0, 74.0)
  /// Half-widths that fit on either side.
  private static let reach = 6.0

  private func place(_ x: Double) -> Double {
    let inner = Self.width - 40
    let part = Swift.min(Swift.max(x / Self.reach, -1), 1)
    return Self.width / 2 + part * inner / 2
  }

  /// A number's distance from the truth in half-widths, with its sign.
  private func distance(_ x: Double) -> Double {
    band.halfWidth > 0 ? (x - band.truth.midpoint.hi) / band.halfWidth : 0
  }

  var svg: String {
    let off = reading.got < band.truth.midpoint.hi ? -reading.halfWidths : reading.halfWidths
    let far = ConformanceText.brief(reading.halfWidths)
    let place = reading.got.isNaN ? "NaN" : "\(far) half-widths from the truth"
    let middle = (Self.width / 2).places(0)
    return """
      <svg role="img" viewBox="0 0 \(Self.width.places(0)) \(Self.height.places(0))" \
      aria-labelledby="\(id)-t \(id)-d">
      <title id="\(id)-t">The answer beside its band</title>
      <desc id="\(id)-d">The answer is \(place); up to 4 half-widths from the truth are accurate.</desc>
      <line class="axis" x1="14" x2="\((Self.width - 14).places(0))" y1="38" y2="38"/>
      \(box(band.accurate, "accurate", 31, 14))
      \(box(band.tight, "tight", 26, 24))
      <line class="truth" x1="\(middle)" x2="\(middle)" y1="20" y2="56"/>
      <text x="\(middle)" y="70" text-anchor="middle">truth</text>
      \(answer(off, far))
      </svg>
      """
  }

  private func box(
    _ range: ClosedRange<Double>, _ name: String, _ y: Double, _ height: Double
  ) -> String {
    let (from, to) = (place(distance(range.lowerBound)), place(distance(range.upperBound)))
    return "<rect class=\"\(name)\" x=\"\(from.places(1))\" y=\"\(y.places(0))\" "
      + "width=\"\(Swift.max(to - from, 1).places(1))\" height=\"\(height.places(0))\"/>"
  }

  /// A dot at the answer, or an arrow towards it; a NaN has no place.
  private func answer(_ off: Double, _ far: String) -> String {
    func text(_ x: Double, _ anchor: String, _ words: String) -> String {
      "<text x=\"\(x.places(1))\" y=\"14\" text-anchor=\"\(anchor)\">\(words)</text>"
    }
    if reading.got.isNaN { return text(14, "start", "the answer is NaN") }
    let x = place(off)
    guard Swift.abs(off) > Self.reach else {
      return "<circle class=\"got\" cx=\"\(x.places(1))\" cy=\"38\" r=\"5\"/>"
        + text(Swift.min(Swift.max(x, 34), Self.width - 34), "middle", "the answer")
    }
    return "<path class=\"got\" d=\"M\(x.places(1)) 38 l\(off > 0 ? "-8" : "8") -6 v12 z\"/>"
      + text(x, off > 0 ? "end" : "start", "the answer, \(far) half-widths off")
  }
}
