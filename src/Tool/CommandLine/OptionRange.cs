using System.CommandLine;
using System.Globalization;

namespace Detection.Tool.CommandLine;

/// <summary>Options whose numbers are checked before the command starts.</summary>
internal static class OptionRange
{
    /// <summary>Refuses numbers outside of a range, and text that is not a number.</summary>
    public static Option<T> Within<T>(this Option<T> option, double least, double greatest)
    {
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!double.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) || !(number >= least && number <= greatest))
                {
                    result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {token.Value}; write {least} to {greatest}."));
                }
            }
        });
        return option;
    }
}
