<#
.SYNOPSIS
  Lets an application read mailboxes of Exchange Online over IMAP or POP3, and prints the lines for
  mailflume.yaml.

.DESCRIPTION
  Does the steps that the Entra admin centre cannot do: registers the application's service principal
  in Exchange, gives it full access to the named mailboxes and switches the protocol on for them.
  Run it as often as you like: what is already there stays as it is.

  Before: the app registration exists, has the application permission IMAP.AccessAsApp (POP3:
  POP.AccessAsApp) of "Office 365 Exchange Online", and admin consent was granted (exchange.md).

  Needs the PowerShell modules ExchangeOnlineManagement (3.0 or newer) and, unless -ObjectId is given,
  Microsoft.Graph.Applications; and the role Exchange Administrator.

.PARAMETER Organization
  The tenant's domain, for example contoso.onmicrosoft.com.

.PARAMETER AppId
  Application (client) ID of the app registration.

.PARAMETER ObjectId
  Object ID of the ENTERPRISE APPLICATION (Entra admin centre > Enterprise applications). The one on
  the page of the app registration is another; Exchange accepts it and every login fails later.
  Left out: looked up by AppId.

.PARAMETER Mailbox
  Addresses of the mailboxes, shared ones too.

.PARAMETER Protocol
  imap (default) or pop3.

.PARAMETER Send
  Also lets the application send as these mailboxes over SMTP, which `mailflume check --send` and the canary need. The app
  registration then needs SMTP.SendAsApp too. SMTP sign-in must not be off for the whole tenant.

.EXAMPLE
  ./exchange-setup.ps1 -Organization contoso.onmicrosoft.com -AppId 11111111-2222-3333-4444-555555555555 -Mailbox support@contoso.com,invoices@contoso.com

.EXAMPLE
  ./exchange-setup.ps1 -Organization contoso.onmicrosoft.com -AppId 11111111-2222-3333-4444-555555555555 -Mailbox support@contoso.com -WhatIf
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [string] $Organization,
    [Parameter(Mandatory)] [guid] $AppId,
    [guid] $ObjectId,
    [Parameter(Mandatory)] [string[]] $Mailbox,
    [ValidateSet('imap', 'pop3')] [string] $Protocol = 'imap',
    [switch] $Send,
    [string] $DisplayName = 'mailflume'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Assert-Module {
    param([string] $Name, [version] $AtLeast)
    $found = Get-Module -ListAvailable -Name $Name | Sort-Object Version -Descending | Select-Object -First 1
    if (-not $found -or $found.Version -lt $AtLeast) {
        throw "The PowerShell module $Name ($AtLeast or newer) is missing. Run: Install-Module $Name -Scope CurrentUser"
    }
    Import-Module $Name -MinimumVersion $AtLeast
}

function Find-EnterpriseApplication {
    Assert-Module -Name Microsoft.Graph.Applications -AtLeast 2.0
    Connect-MgGraph -TenantId $Organization -Scopes Application.Read.All -NoWelcome
    $found = Get-MgServicePrincipal -Filter "appId eq '$AppId'"
    if (-not $found) {
        throw "No enterprise application has the AppId $AppId. Check the AppId and the tenant, and grant admin consent first: that creates it."
    }
    [guid] $found.Id
}

# --- 1. sign in
Assert-Module -Name ExchangeOnlineManagement -AtLeast 3.0
if (-not $PSBoundParameters.ContainsKey('ObjectId')) { $ObjectId = Find-EnterpriseApplication } # an empty guid is not false
Connect-ExchangeOnline -Organization $Organization -ShowBanner:$false
if (-not (Get-Command New-ServicePrincipal -ErrorAction SilentlyContinue)) {
    throw 'New-ServicePrincipal is not available: the account needs the role Exchange Administrator. Roles take effect at the next sign-in.'
}

try {
    # --- 2. the service principal
    $principal = Get-ServicePrincipal | Where-Object { $_.AppId -eq "$AppId" } | Select-Object -First 1
    if ($principal -and $principal.ObjectId -ne "$ObjectId") {
        throw "Exchange knows the application by the object id $($principal.ObjectId), but its enterprise application is $ObjectId. Run: Remove-ServicePrincipal -Identity $($principal.Identity)  and then this script again."
    }
    if ($principal) {
        Write-Host "service principal: there ($($principal.DisplayName))"
    }
    elseif ($PSCmdlet.ShouldProcess("$AppId", 'New-ServicePrincipal')) {
        $principal = New-ServicePrincipal -AppId "$AppId" -ObjectId "$ObjectId" -DisplayName $DisplayName
        Write-Host 'service principal: created'
    }

    # --- 3. and 4. rights and protocol, mailbox by mailbox
    $failed = @()
    foreach ($box in $Mailbox) {
        try {
            if (-not $principal) { Write-Host "${box}: would get FullAccess and $Protocol"; continue }
            $has = Get-MailboxPermission -Identity $box -User $principal.Identity -ErrorAction SilentlyContinue |
                Where-Object { $_.AccessRights -contains 'FullAccess' -and -not $_.Deny }
            if ($has) {
                Write-Host "${box}: FullAccess is there"
            }
            elseif ($PSCmdlet.ShouldProcess($box, 'Add-MailboxPermission FullAccess')) {
                Add-MailboxPermission -Identity $box -User $principal.Identity -AccessRights FullAccess -AutoMapping:$false | Out-Null
                Write-Host "${box}: FullAccess given"
            }
            $cas = Get-CASMailbox -Identity $box
            $enabled = if ($Protocol -eq 'imap') { $cas.ImapEnabled } else { $cas.PopEnabled }
            if ($enabled) {
                Write-Host "${box}: $Protocol is on"
            }
            elseif ($PSCmdlet.ShouldProcess($box, "switch $Protocol on")) {
                if ($Protocol -eq 'imap') { Set-CASMailbox -Identity $box -ImapEnabled $true }
                else { Set-CASMailbox -Identity $box -PopEnabled $true }
                Write-Host "${box}: $Protocol switched on"
            }
            if ($Send -and $PSCmdlet.ShouldProcess($box, 'Add-RecipientPermission SendAs, and SMTP sign-in')) {
                Add-RecipientPermission -Identity $box -Trustee $principal.Identity -AccessRights SendAs -Confirm:$false | Out-Null
                Set-CASMailbox -Identity $box -SmtpClientAuthenticationDisabled $false
                Write-Host "${box}: may be sent from"
            }
        }
        catch {
            $failed += $box
            Write-Warning "${box}: $($_.Exception.Message)"
        }
    }
}
finally {
    Disconnect-ExchangeOnline -Confirm:$false
}

# --- 5. what goes into mailflume.yaml
Write-Host ''
Write-Host '# mailflume.yaml (rights take minutes, sometimes an hour, to reach every server)'
Write-Output 'credentials:'
Write-Output '  exchange:'
Write-Output '    type: entra'
Write-Output "    tenant: $Organization"
Write-Output "    client_id: $AppId"
Write-Output '    client_secret: file:secrets/exchange   # the secret''s Value, in a file of mode 0600'
Write-Output 'mailboxes:'
foreach ($box in $Mailbox) {
    if ($failed -contains $box) { continue }
    Write-Output "  - address: $box"
    Write-Output '    credentials: exchange'
    if ($Protocol -eq 'pop3') { Write-Output '    protocol: pop3' }
}
Write-Host ''
Write-Host '# then, where mailflume is:  mailflume check'
if ($failed) {
    Write-Warning "Not done: $($failed -join ', ')"
    exit 1
}
