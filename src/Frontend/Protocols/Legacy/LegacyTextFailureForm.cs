using System.Net.Mime;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>Failures of the replaced detector: one sentence of text, under a status that says it is no picture.</summary>
internal sealed class LegacyTextFailureForm : IFailureForm
{
    public Task WriteAsync(HttpResponse response, ProblemDetails problem)
    {
        response.ContentType = MediaTypeNames.Text.Plain;
        return response.WriteAsync(problem.Detail ?? problem.Title ?? "", response.HttpContext.RequestAborted);
    }
}
