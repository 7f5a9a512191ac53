using System.Collections.Concurrent;
using System.Text;
using SkiaSharp;

namespace Detection.Inference.Annotation;

/// <summary>
/// The fonts of labels. The embedded font has Latin, Greek, Cyrillic, Arabic and more; other characters (Chinese, emoji) use fonts of the machine, if
/// it has any. A font for them is larger than the whole program.
/// </summary>
internal static class LabelFonts
{
    private const int MostFiles = 2000;

    private static readonly string[] Endings = [".ttf", ".otf", ".ttc"];
    private static readonly Lazy<SKTypeface> Embedded = new(Load);
    private static readonly Lazy<string[]> Files = new(static () => [.. Find(Folders())]);
    private static readonly ConcurrentDictionary<int, SKTypeface?> Others = new();
    private static readonly ConcurrentDictionary<string, Lazy<SKTypeface?>> Opened = new(StringComparer.Ordinal);

    /// <summary>The embedded font.</summary>
    public static SKTypeface Own => Embedded.Value;

    /// <summary>Whether there is a font for each character of a text.</summary>
    public static bool CanDraw(string text) => text.EnumerateRunes().All(static rune => IsUnseen(rune) || FontOf(rune) is not null);

    /// <summary>The pieces of a text, each with a font that has its characters. Characters without a font are left out.</summary>
    public static IEnumerable<(string Text, SKTypeface Font)> Pieces(string text)
    {
        var piece = new StringBuilder();
        SKTypeface? font = null;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnseen(rune) || FontOf(rune) is not { } next)
            {
                continue;
            }

            if (font is not null && next != font)
            {
                yield return (piece.ToString(), font);
                piece.Clear();
            }

            font = next;
            piece.Append(rune.ToString());
        }

        if (font is not null)
        {
            yield return (piece.ToString(), font);
        }
    }

    /// <summary>Joiners and variation selectors only change how their neighbours are drawn.</summary>
    private static bool IsUnseen(Rune rune) => rune.Value is 0x200C or 0x200D or (>= 0xFE00 and <= 0xFE0F);

    private static SKTypeface? FontOf(Rune rune) => Has(Own, rune.Value) ? Own : Others.GetOrAdd(rune.Value, Search);

    private static SKTypeface? Search(int character)
    {
        if (SKFontManager.Default.MatchCharacter(character) is { } matched && Has(matched, character))
        {
            return matched;
        }

        foreach (var file in Files.Value)
        {
            var font = Opened.GetOrAdd(file, static path => new(() => SKTypeface.FromFile(path))).Value;
            if (font is not null && Has(font, character))
            {
                return font;
            }
        }

        return null;
    }

    private static bool Has(SKTypeface typeface, int character)
    {
        using var font = new SKFont(typeface);
        return font.ContainsGlyph(character);
    }

    private static IEnumerable<string> Find(IEnumerable<string> folders) => folders
        .Where(Directory.Exists)
        .SelectMany(static folder => Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }))
        .Where(static file => Endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
        .Take(MostFiles)

        // Upright fonts without serifs come first.
        .OrderByDescending(static file => Path.GetFileName(file).Contains("Regular", StringComparison.OrdinalIgnoreCase))
        .ThenBy(static file => Path.GetFileName(file).Contains("Serif", StringComparison.OrdinalIgnoreCase))
        .ThenBy(static file => file, StringComparer.Ordinal);

    private static string[] Folders() =>
    [
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        "/System/Library/Fonts",
        "/Library/Fonts",
        Environment.GetFolderPath(Environment.SpecialFolder.Fonts),
    ];

    private static SKTypeface Load()
    {
        const string name = "Detection.Inference.Annotation.Fonts.DejaVuSans.ttf";
        using var stream = typeof(PictureAnnotator).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The font {name} is not embedded.");
        using var data = SKData.Create(stream);
        return SKTypeface.FromData(data) ?? throw new InvalidOperationException($"The font {name} cannot be read.");
    }
}
