using Spectre.Console;

namespace Detection.Tool.Terminal;

/// <summary>
/// The output of a command. Results go to standard output. Notes and progress go to standard error when they would otherwise mix with redirected
/// results. Colours, progress bars and line breaks are used on a terminal only.
/// </summary>
internal sealed class Screen
{
    private const int NoWrapping = 100_000;
    private static readonly Style Bad = new(Color.Red);

    private readonly IAnsiConsole _notes;
    private readonly IAnsiConsole? _live;

    /// <param name="dataOnOutput">Whether standard output has data for a program, so that nothing else may be written there.</param>
    public Screen(bool dataOnOutput = false)
    {
        var notes = Open(Console.Error, Console.IsErrorRedirected);
        Results = dataOnOutput ? notes : Open(Console.Out, Console.IsOutputRedirected);

        // On one terminal all output must go through one console. Otherwise lines and the bar would overwrite each other.
        _notes = !Console.IsOutputRedirected && !Console.IsErrorRedirected ? Results : notes;
        var dataOnScreen = dataOnOutput && !Console.IsOutputRedirected;
        _live = dataOnScreen ? null
            : !dataOnOutput && Results.Profile.Capabilities.Interactive ? Results
            : notes.Profile.Capabilities.Interactive ? notes
            : null;
    }

    /// <summary>Output of results.</summary>
    public IAnsiConsole Results { get; }

    /// <summary>Whether progress is shown.</summary>
    public bool IsLive => _live is not null;

    /// <summary>Writes a line of results.</summary>
    public void Line(string text = "") => Results.WriteLine(text);

    /// <summary>Writes a line of results that needs attention.</summary>
    public void Warning(string text) => Results.WriteLine(text, Bad);

    /// <summary>Writes a line that is not a result.</summary>
    public void Note(string text) => _notes.WriteLine(text);

    /// <summary>Writes a line about a failure.</summary>
    public void Failure(string text) => _notes.WriteLine(text, Bad);

    /// <summary>Shows a progress bar during work, on a terminal.</summary>
    /// <param name="what">Name of the work.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="work">The work; it calls its argument after each step, with the name of the next step or null.</param>
    public async Task WithProgressAsync(string what, double steps, Func<Action<string?>, Task> work)
    {
        if (_live is null)
        {
            await work(_ => { });
            return;
        }

        await _live.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(what), maxValue: Math.Max(steps, 1));
                await work(next =>
                {
                    task.Increment(1);
                    task.Description = Markup.Escape(next ?? what);
                });
            });
    }

    private static IAnsiConsole Open(TextWriter writer, bool redirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,

            // Build servers are not terminals, whatever their environment variables say.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        if (redirected)
        {
            console.Profile.Width = NoWrapping;
        }

        return console;
    }
}
