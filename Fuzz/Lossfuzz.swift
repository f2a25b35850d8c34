@main struct Lossfuzz { static func main() {} }
