; The installer for Windows. What it is told by -D comes from packaging/windows/build.sh: TITLE NAME VERSION
; VERSION_NUMBERS LINK_SCHEME PUBLISHER SUMMARY HOMEPAGE STAGE (the folder with the files) ICON OUTFILE and, where programs are
; signed, SIGN (a command that takes a file).
;
; Per user without administrator rights, or for all users. Silent: /S, with /ALLUSERS, /PATH, /NOPATH, /LANG=, /D=;
; packaging/README.md has them all.

Unicode true
!include MUI2.nsh
!include nsDialogs.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include WinVer.nsh
!include WordFunc.nsh
!include x64.nsh

Name "${TITLE}"
OutFile "${OUTFILE}"
BrandingText "${TITLE} ${VERSION}"
RequestExecutionLevel user
ManifestDPIAware true
ManifestSupportedOS Win10
SetCompressor /SOLID lzma
; Both programs fit in: much of them is the same.
SetCompressorDictSize 32
ShowInstDetails nevershow
ShowUninstDetails nevershow
!ifdef SIGN
  !finalize '${SIGN} "%1"'
  !uninstfinalize '${SIGN} "%1"'
!endif

!define PROGRAM "duplex.exe"
!define CONSOLE "duplexctl.exe"
!define ENTRIES "Software\Microsoft\Windows\CurrentVersion\Uninstall"
!define ENTRY "${ENTRIES}\${TITLE}"
!define ENVIRONMENT "SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
; Exit codes beside NSIS's own (0 done, 1 cancelled by the person, 2 failed): those of Windows.
!define ERROR_IN_USE 32
!define ERROR_OLD_WINDOWS 1150
!define ERROR_NO_RIGHTS 740

Var AllUsers ; 1: for all users, 0: for this one
Var OnPath ; 1: duplexctl on PATH
Var Folder ; the field on the page
Var ForMe
Var ForAll
Var PathBox
Var DeleteData ; 1: the uninstaller deletes this user's data, too
Var DataBox

; ── What a person sees ─────────────────────────────────────────────────────────────────────────────────────────────

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_CUSTOMFUNCTION_ABORT Cancelled
Page custom OptionsPage OptionsLeave
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_FUNCTION Launch
!define MUI_FINISHPAGE_RUN_TEXT "$(LaunchNow)"
!define MUI_FINISHPAGE_NOREBOOTSUPPORT
!insertmacro MUI_PAGE_FINISH

UninstPage custom un.ConfirmPage un.ConfirmLeave
!insertmacro MUI_UNPAGE_INSTFILES

!insertmacro MUI_LANGUAGE English
!insertmacro MUI_LANGUAGE Korean

; both LABEL ENGLISH KOREAN: one sentence in the languages that there are.
!macro both LABEL ENGLISH KOREAN
  LangString ${LABEL} ${LANG_ENGLISH} "${ENGLISH}"
  LangString ${LABEL} ${LANG_KOREAN} "${KOREAN}"
!macroend
!insertmacro both Summary "${SUMMARY}" "${SUMMARY_KO}"
!insertmacro both Options "Install ${TITLE} ${VERSION}" "${TITLE} ${VERSION} 설치"
!insertmacro both OptionsText "Who it is for, and where it goes." "누가 쓸지, 어디에 설치할지 정합니다."
!insertmacro both OnlyMe "Only for &me (no administrator rights needed)" "나만 사용(&M) (관리자 권한 필요 없음)"
!insertmacro both Everyone "For &all users of this computer (asks for administrator rights)" "이 컴퓨터의 모든 사용자(&A) (관리자 권한을 묻습니다)"
!insertmacro both FolderLabel "&Folder:" "폴더(&F):"
!insertmacro both Browse "&Browse…" "찾아보기(&B)…"
!insertmacro both AddPath "Make ${NAME}ctl, the &console companion, a command in every terminal (PATH)" "콘솔용 ${NAME}ctl을 모든 터미널에서 쓸 수 있게 하기(&C) (PATH)"
!insertmacro both LaunchNow "Start ${TITLE} now" "지금 ${TITLE} 시작"
!insertmacro both Running "${TITLE} is running. OK closes it; what you have typed is kept." "${TITLE} 실행 중입니다. [확인]을 누르면 닫습니다. 입력하던 내용은 보존됩니다."
!insertmacro both StillRunning "${TITLE} does not close. Close its window, then retry." "${TITLE} 창이 닫히지 않습니다. 창을 닫은 뒤 다시 시도하세요."
!insertmacro both ConsoleRunning "${NAME}ctl is running (a hub, or this computer's readings). Stop it, then retry." "${NAME}ctl 실행 중입니다(허브 또는 이 컴퓨터의 측정값). 중지한 뒤 다시 시도하세요."
!insertmacro both Newer "A newer version is installed. This one may not be able to read its data. Install ${VERSION} all the same?" "더 새로운 버전이 설치되어 있습니다. 이 버전은 그 데이터를 읽지 못할 수 있습니다. 그래도 ${VERSION} 버전을 설치할까요?"
!insertmacro both CannotWrite "A file cannot be written. Nothing has been changed. Choose another folder, or make room. The folder:" "파일을 쓸 수 없습니다. 바뀐 것은 없습니다. 다른 폴더를 고르거나 공간을 확보하세요. 폴더:"
!insertmacro both OldWindows "${TITLE} needs 64-bit Windows 10 or newer." "${TITLE} 실행에는 64비트 Windows 10 이상이 필요합니다."
!insertmacro both NeedsRights "Installing for all users needs administrator rights." "모든 사용자용으로 설치하려면 관리자 권한이 필요합니다."
!insertmacro both Remove "Remove ${TITLE}" "${TITLE} 제거"
!insertmacro both RemoveText "The programs, the menu entry and the settings made at installation are removed." "프로그램과 메뉴 항목, 설치할 때 만든 설정을 제거합니다."
!insertmacro both RemoveButton "&Remove" "제거(&R)"
!insertmacro both KeepsData "Your rooms, messages and readings stay in this folder, for the next installation:" "대화방과 메시지, 측정값은 다음 설치를 위해 이 폴더에 남습니다:"
!insertmacro both DeleteMine "&Delete them, too, and the tokens that Windows keeps for ${TITLE}. This cannot be undone." "이 데이터와 Windows가 보관하는 ${TITLE} 토큰도 삭제(&D). 되돌릴 수 없습니다."
!insertmacro both Usage \
  "/S$\tsilent$\n/ALLUSERS$\tfor all users (needs administrator rights)$\n/PATH$\t${NAME}ctl on PATH; /NOPATH: not$\n/LANG=en$\tor ko$\n/D=FOLDER$\tinto this folder (the last of all; no quotes)$\n$\nuninstall.exe /S$\tremoves it, keeps your data; with /DELETEDATA not" \
  "/S$\t묻지 않고 설치$\n/ALLUSERS$\t모든 사용자용(관리자 권한 필요)$\n/PATH$\t${NAME}ctl을 PATH에 추가, /NOPATH: 추가 안 함$\n/LANG=ko$\t또는 en$\n/D=폴더$\t이 폴더에 설치(맨 끝에, 따옴표 없이)$\n$\nuninstall.exe /S$\t제거, 데이터는 남김. /DELETEDATA: 데이터도 삭제"

VIProductVersion "${VERSION_NUMBERS}"
!macro version_info LANGUAGE DESCRIPTION
  VIAddVersionKey /LANG=${LANGUAGE} ProductName "${TITLE}"
  VIAddVersionKey /LANG=${LANGUAGE} ProductVersion "${VERSION}"
  VIAddVersionKey /LANG=${LANGUAGE} FileVersion "${VERSION}"
  VIAddVersionKey /LANG=${LANGUAGE} FileDescription "${DESCRIPTION}"
  VIAddVersionKey /LANG=${LANGUAGE} CompanyName "${PUBLISHER}"
  VIAddVersionKey /LANG=${LANGUAGE} LegalCopyright "${PUBLISHER}. ${LICENSE}"
!macroend
!insertmacro version_info ${LANG_ENGLISH} "${TITLE} Setup"
!insertmacro version_info ${LANG_KOREAN} "${TITLE} 설치"

; ── What installer and uninstaller share ───────────────────────────────────────────────────────────────────────────

; fail CODE SENTENCE: says it to a person, and ends with the code.
!macro fail CODE SENTENCE
  MessageBox MB_OK|MB_ICONSTOP "${SENTENCE}" /SD IDOK
  SetErrorLevel ${CODE}
  Quit
!macroend

!macro shared UN
; Where the choices made on the command line and those of an earlier installation are for.
Function ${UN}TakeContext
  SetRegView 64
  ${If} $AllUsers == 1
    SetShellVarContext all
  ${Else}
    SetShellVarContext current
  ${EndIf}
FunctionEnd

; /LANG=ko or /LANG=en; otherwise Windows's language, English where it is none of ours.
Function ${UN}TakeLanguage
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/LANG=" $1
  ${IfNot} ${Errors}
    ${If} $1 == "ko"
      StrCpy $LANGUAGE ${LANG_KOREAN}
    ${Else}
      StrCpy $LANGUAGE ${LANG_ENGLISH}
    ${EndIf}
  ${EndIf}
FunctionEnd

; Pushes 1 where a program in $INSTDIR runs (its file cannot be written then), else 0. The program's file is in $0.
Function ${UN}InUse
  StrCpy $1 0
  ${If} ${FileExists} "$INSTDIR\$0"
    ClearErrors
    FileOpen $2 "$INSTDIR\$0" a
    ${If} ${Errors}
      StrCpy $1 1
    ${Else}
      FileClose $2
    ${EndIf}
  ${EndIf}
  Push $1
FunctionEnd

; Pops how often to look, five times a second, whether the program in $0 still runs; pushes what it saw last.
Function ${UN}WaitWhileInUse
  Exch $3
  ${Do}
    Call ${UN}InUse
    Pop $1
    IntOp $3 $3 - 1
    ${If} $1 == 0
    ${OrIf} $3 <= 0
      ${ExitDo}
    ${EndIf}
    Sleep 200
  ${Loop}
  Pop $3
  Push $1
FunctionEnd

; Closes Duplex where it runs; silently it is closed, a person is asked.
Function ${UN}CloseProgram
  StrCpy $0 "${PROGRAM}"
  Call ${UN}InUse
  Pop $1
  ${If} $1 == 0
    Return
  ${EndIf}
  MessageBox MB_OKCANCEL|MB_ICONINFORMATION "$(Running)" /SD IDOK IDOK close
  SetErrorLevel 1
  Quit
close:
  ; It asks the window that runs on this user's data, and waits until that has saved everything and ended.
  ExecWait '"$INSTDIR\${PROGRAM}" --quit'
again:
  StrCpy $0 "${PROGRAM}"
  Push 25
  Call ${UN}WaitWhileInUse
  Pop $1
  ${If} $1 == 1
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(StillRunning)" /SD IDCANCEL IDRETRY again
    SetErrorLevel ${ERROR_IN_USE}
    Quit
  ${EndIf}
FunctionEnd

; Puts $INSTDIR on PATH, or takes it off: "add" or "remove" is on the stack. NSIS's own strings end at 1024 characters,
; and a PATH may be longer, so that it never goes through one. Its type (REG_SZ, REG_EXPAND_SZ) stays.
Function ${UN}EditPath
  Exch $0
  Push $1 ; the key
  Push $2 ; its type
  Push $3 ; bytes
  Push $4 ; memory: ";" PATH ";"
  Push $5 ; where in it ";$INSTDIR;" is
  Push $6
  ; KEY_QUERY_VALUE | KEY_SET_VALUE | KEY_WOW64_64KEY
  ${If} $AllUsers == 1
    System::Call 'advapi32::RegOpenKeyExW(p -2147483646, w "${ENVIRONMENT}", i 0, i 0x103, *p .r1) i .r6'
  ${Else}
    System::Call 'advapi32::RegOpenKeyExW(p -2147483647, w "Environment", i 0, i 0x103, *p .r1) i .r6'
  ${EndIf}
  ${If} $6 <> 0
    Goto done
  ${EndIf}
  System::Call 'advapi32::RegQueryValueExW(p r1, w "Path", p 0, *i .r2, p 0, *i .r3) i .r6'
  ${If} $6 <> 0
    StrCpy $2 2 ; REG_EXPAND_SZ
    StrCpy $3 0
  ${EndIf}
  StrLen $6 $INSTDIR
  IntOp $6 $6 * 2
  IntOp $6 $6 + $3
  IntOp $6 $6 + 16
  System::Alloc $6 ; zeroed
  Pop $4
  System::Call 'kernel32::lstrcatW(p r4, w ";")'
  ${If} $3 > 0
    IntPtrOp $6 $4 + 2
    System::Call 'advapi32::RegQueryValueExW(p r1, w "Path", p 0, p 0, p r6, *i r3)'
  ${EndIf}
  System::Call 'kernel32::lstrcatW(p r4, w ";")'
  System::Call 'shlwapi::StrStrIW(p r4, w ";$INSTDIR;") p .r5'
  ${If} $0 == "add"
    ${If} $5 P<> 0
      Goto free
    ${EndIf}
    ${If} $3 > 2
      System::Call 'kernel32::lstrcatW(p r4, w "$INSTDIR;")'
    ${Else}
      ; There was no PATH: no empty entry before ours.
      System::Call 'kernel32::lstrcpyW(p r4, w ";$INSTDIR;")'
    ${EndIf}
  ${Else}
    ${If} $5 P= 0
      Goto free
    ${EndIf}
    ; What follows takes its place, with the ";" that closes it.
    StrLen $6 $INSTDIR
    IntOp $6 $6 + 1
    IntOp $6 $6 * 2
    IntPtrOp $6 $5 + $6
    System::Call 'kernel32::lstrlenW(p r6) i .r3'
    IntOp $3 $3 + 1
    IntOp $3 $3 * 2
    System::Call 'kernel32::RtlMoveMemory(p r5, p r6, p r3)'
  ${EndIf}
  ; Without the first and the last ";".
  System::Call 'kernel32::lstrlenW(p r4) i .r3'
  IntOp $3 $3 * 2
  IntPtrOp $6 $4 + $3
  IntPtrOp $6 $6 - 2
  System::Call 'kernel32::RtlZeroMemory(p r6, p 2)'
  IntOp $3 $3 - 2
  ${If} $3 <= 2
    System::Call 'advapi32::RegDeleteValueW(p r1, w "Path")'
  ${Else}
    IntPtrOp $6 $4 + 2
    System::Call 'advapi32::RegSetValueExW(p r1, w "Path", i 0, i r2, p r6, i r3)'
  ${EndIf}
  ; Programs started from now on see it: WM_SETTINGCHANGE to all windows.
  System::Call 'user32::SendMessageTimeoutW(p 0xffff, i 0x1a, p 0, w "Environment", i 2, i 2000, *p .r6)'
free:
  System::Free $4
  System::Call 'advapi32::RegCloseKey(p r1)'
done:
  Pop $6
  Pop $5
  Pop $4
  Pop $3
  Pop $2
  Pop $1
  Pop $0
FunctionEnd
!macroend
!insertmacro shared ""
!insertmacro shared "un."

; ── Installing ─────────────────────────────────────────────────────────────────────────────────────────────────────

Function .onInit
  Call TakeLanguage
  ${IfNot} ${AtLeastWin10}
  ${OrIfNot} ${RunningX64}
    !insertmacro fail ${ERROR_OLD_WINDOWS} "$(OldWindows)"
  ${EndIf}
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/?" $1
  ${IfNot} ${Errors}
    MessageBox MB_OK "$(Usage)"
    Quit
  ${EndIf}
  ClearErrors
  ${GetOptions} $0 "/ALLUSERS" $1
  StrCpy $AllUsers 0
  ${IfNot} ${Errors}
    StrCpy $AllUsers 1
    UserInfo::GetAccountType
    Pop $1
    ${If} $1 != "Admin"
      !insertmacro fail ${ERROR_NO_RIGHTS} "$(NeedsRights)"
    ${EndIf}
  ${EndIf}
  Call TakeContext
  ; An upgrade goes where the earlier version is and keeps its choices, unless told otherwise.
  ReadRegDWORD $OnPath SHCTX "${ENTRY}" OnPath
  ${If} $OnPath == ""
    StrCpy $OnPath 0
  ${EndIf}
  ClearErrors
  ${GetOptions} $0 "/PATH" $1
  ${IfNot} ${Errors}
    StrCpy $OnPath 1
  ${EndIf}
  ClearErrors
  ${GetOptions} $0 "/NOPATH" $1
  ${IfNot} ${Errors}
    StrCpy $OnPath 0
  ${EndIf}
  ${If} $INSTDIR == "" ; no /D=
    Call UsualFolder
  ${EndIf}
FunctionEnd

; Where it goes: where it is, else where programs for this user, or for all, are.
Function UsualFolder
  ReadRegStr $INSTDIR SHCTX "${ENTRY}" InstallLocation
  ${If} $INSTDIR == ""
    ${If} $AllUsers == 1
      StrCpy $INSTDIR "$PROGRAMFILES64\${TITLE}"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\${TITLE}"
    ${EndIf}
  ${EndIf}
FunctionEnd

Function OptionsPage
  !insertmacro MUI_HEADER_TEXT "$(Options)" "$(OptionsText)"
  GetDlgItem $0 $HWNDPARENT 1
  SendMessage $0 ${WM_SETTEXT} 0 "STR:$(^InstallBtn)"
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateLabel} 0 0 100% 12u "$(Summary)"
  Pop $0
  ${NSD_CreateRadioButton} 0 20u 100% 12u "$(OnlyMe)"
  Pop $ForMe
  ${NSD_CreateRadioButton} 0 34u 100% 12u "$(Everyone)"
  Pop $ForAll
  ${NSD_CreateLabel} 0 56u 100% 10u "$(FolderLabel)"
  Pop $0
  ${NSD_CreateDirRequest} 0 68u 78% 13u "$INSTDIR"
  Pop $Folder
  ${NSD_CreateBrowseButton} 80% 67u 20% 15u "$(Browse)"
  Pop $0
  ${NSD_OnClick} $0 BrowseFolder
  ${NSD_CreateCheckBox} 0 94u 100% 12u "$(AddPath)"
  Pop $PathBox
  ${NSD_SetState} $PathBox $OnPath
  ${If} $AllUsers == 1
    ${NSD_Check} $ForAll
  ${Else}
    ${NSD_Check} $ForMe
  ${EndIf}
  ${NSD_OnClick} $ForMe ChooseUsers
  ${NSD_OnClick} $ForAll ChooseUsers
  nsDialogs::Show
FunctionEnd

; The folder follows who it is for.
Function ChooseUsers
  Pop $0
  ${NSD_GetState} $ForAll $AllUsers
  Call TakeContext
  Call UsualFolder
  ${NSD_SetText} $Folder "$INSTDIR"
FunctionEnd

Function BrowseFolder
  Pop $0
  nsDialogs::SelectFolderDialog "" "$INSTDIR"
  Pop $0
  ${If} $0 != error
    ${NSD_SetText} $Folder "$0"
  ${EndIf}
FunctionEnd

Function OptionsLeave
  ${NSD_GetText} $Folder $INSTDIR
  ${NSD_GetState} $PathBox $OnPath
  ${NSD_GetState} $ForAll $AllUsers
  Call TakeContext
  UserInfo::GetAccountType
  Pop $0
  ${If} $AllUsers == 1
  ${AndIf} $0 != "Admin"
    ; Windows asks for the rights; the one that has them goes on with the choices made here.
    StrCpy $1 "/NOPATH"
    ${If} $OnPath == 1
      StrCpy $1 "/PATH"
    ${EndIf}
    StrCpy $2 "en"
    ${If} $LANGUAGE == ${LANG_KOREAN}
      StrCpy $2 "ko"
    ${EndIf}
    ClearErrors
    ExecShell runas "$EXEPATH" "/ALLUSERS $1 /LANG=$2 /D=$INSTDIR"
    ${If} ${Errors}
      MessageBox MB_OK|MB_ICONEXCLAMATION "$(NeedsRights)"
      Abort
    ${EndIf}
    Quit
  ${EndIf}
  ReadRegStr $0 SHCTX "${ENTRY}" DisplayVersion
  ${If} $0 != ""
    ${VersionCompare} "$0" "${VERSION}" $1
    ${If} $1 == 1
      MessageBox MB_YESNO|MB_ICONEXCLAMATION|MB_DEFBUTTON2 "$(Newer)" IDYES +2
      Abort
    ${EndIf}
  ${EndIf}
FunctionEnd

Function Cancelled
  SetErrorLevel 1
FunctionEnd

; As the person, not as the administrator who installs.
Function Launch
  Exec '"$WINDIR\explorer.exe" "$INSTDIR\${PROGRAM}"'
FunctionEnd

; stage FILE: puts it beside what is there already. place FILE: replaces that, in one step.
!macro stage FILE
  File "/oname=${FILE}.new" "${STAGE}\${FILE}"
!macroend
!macro place FILE
  ; MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH
  System::Call 'kernel32::MoveFileExW(w "$INSTDIR\${FILE}.new", w "$INSTDIR\${FILE}", i 9) i .r0'
  ${If} $0 == 0
    SetErrors
  ${EndIf}
!macroend
; every DO: with each file that is installed.
!macro every DO
  !insertmacro ${DO} "${PROGRAM}"
  !insertmacro ${DO} "${CONSOLE}"
  !insertmacro ${DO} "LICENSE-MIT.txt"
  !insertmacro ${DO} "LICENSE-APACHE.txt"
  !insertmacro ${DO} "third-party-licences.txt"
!macroend

Section
  SetOutPath "$INSTDIR"
  Call CloseProgram
  SetOverwrite try
  ClearErrors
  !insertmacro every stage
  ${If} ${Errors}
    Delete "$INSTDIR\*.new"
    !insertmacro fail 2 "$(CannotWrite) $INSTDIR"
  ${EndIf}
  ; A hub that runs goes on with the file it has; the next start is the new one.
  Delete "$INSTDIR\${CONSOLE}.old"
  StrCpy $0 "${CONSOLE}"
  Call InUse
  Pop $1
  ${If} $1 == 1
    ClearErrors
    Rename "$INSTDIR\${CONSOLE}" "$INSTDIR\${CONSOLE}.old"
    ${If} ${Errors} ; one of each runs
      Delete "$INSTDIR\*.new"
      !insertmacro fail ${ERROR_IN_USE} "$(ConsoleRunning)"
    ${EndIf}
  ${EndIf}
  ClearErrors
  !insertmacro every place
  WriteUninstaller "$INSTDIR\uninstall.exe"
  ${If} ${Errors}
    !insertmacro fail 2 "$(CannotWrite) $INSTDIR"
  ${EndIf}
  CreateShortcut "$SMPROGRAMS\${TITLE}.lnk" "$INSTDIR\${PROGRAM}" "" "" "" SW_SHOWNORMAL "" "$(Summary)"

  ${If} $OnPath == 1
    Push add
  ${Else}
    Push remove
  ${EndIf}
  Call EditPath

  ; Links of this scheme open in the window. What follows -- is never an option, whatever the link says.
  WriteRegStr SHCTX "Software\Classes\${LINK_SCHEME}" "" "URL:${TITLE}"
  WriteRegStr SHCTX "Software\Classes\${LINK_SCHEME}" "URL Protocol" ""
  WriteRegStr SHCTX "Software\Classes\${LINK_SCHEME}\DefaultIcon" "" "$INSTDIR\${PROGRAM},0"
  WriteRegStr SHCTX "Software\Classes\${LINK_SCHEME}\shell\open\command" "" '"$INSTDIR\${PROGRAM}" -- "%1"'

  WriteRegStr SHCTX "${ENTRY}" DisplayName "${TITLE}"
  WriteRegStr SHCTX "${ENTRY}" DisplayVersion "${VERSION}"
  WriteRegStr SHCTX "${ENTRY}" Publisher "${PUBLISHER}"
  WriteRegStr SHCTX "${ENTRY}" DisplayIcon "$INSTDIR\${PROGRAM}"
  WriteRegStr SHCTX "${ENTRY}" InstallLocation "$INSTDIR"
  WriteRegStr SHCTX "${ENTRY}" UninstallString '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${ENTRY}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
!if "${HOMEPAGE}" != ""
  WriteRegStr SHCTX "${ENTRY}" URLInfoAbout "${HOMEPAGE}"
!endif
  WriteRegDWORD SHCTX "${ENTRY}" NoModify 1
  WriteRegDWORD SHCTX "${ENTRY}" NoRepair 1
  WriteRegDWORD SHCTX "${ENTRY}" OnPath $OnPath
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD SHCTX "${ENTRY}" EstimatedSize $0
SectionEnd

; ── Removing ───────────────────────────────────────────────────────────────────────────────────────────────────────

Function un.onInit
  Call un.TakeLanguage
  ; For whom it was installed: where it is entered with this folder.
  StrCpy $AllUsers 0
  Call un.TakeContext
  ReadRegStr $0 HKLM "${ENTRY}" InstallLocation
  ${If} $0 == $INSTDIR
    UserInfo::GetAccountType
    Pop $0
    ${If} $0 != "Admin"
      IfSilent 0 +3
        SetErrorLevel ${ERROR_NO_RIGHTS}
        Quit
      ${GetParameters} $0
      ExecShell runas "$INSTDIR\uninstall.exe" "$0"
      Quit
    ${EndIf}
    StrCpy $AllUsers 1
    Call un.TakeContext
  ${EndIf}
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/DELETEDATA" $1
  StrCpy $DeleteData 0
  ${IfNot} ${Errors}
    StrCpy $DeleteData 1
  ${EndIf}
FunctionEnd

Function un.ConfirmPage
  !insertmacro MUI_HEADER_TEXT "$(Remove)" "$INSTDIR"
  GetDlgItem $0 $HWNDPARENT 1
  SendMessage $0 ${WM_SETTEXT} 0 "STR:$(RemoveButton)"
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateLabel} 0 0 100% 20u "$(RemoveText)"
  Pop $0
  ${NSD_CreateLabel} 0 28u 100% 10u "$(KeepsData)"
  Pop $0
  SetShellVarContext current
  ${NSD_CreateLabel} 8u 40u 95% 10u "$LOCALAPPDATA\${TITLE}"
  Pop $0
  Call un.TakeContext
  ${NSD_CreateCheckBox} 0 56u 100% 20u "$(DeleteMine)"
  Pop $DataBox
  ${NSD_AddStyle} $DataBox ${BS_MULTILINE}
  ${NSD_SetState} $DataBox $DeleteData
  nsDialogs::Show
FunctionEnd

Function un.ConfirmLeave
  ${NSD_GetState} $DataBox $DeleteData
FunctionEnd

!macro remove FILE
  Delete "$INSTDIR\${FILE}"
!macroend

Section Uninstall
  Call un.CloseProgram
again:
  StrCpy $0 "${CONSOLE}.old" ; since before an upgrade
  Call un.InUse
  Pop $1
  ${If} $1 == 0
    StrCpy $0 "${CONSOLE}"
    Call un.InUse
    Pop $1
  ${EndIf}
  ${If} $1 == 1
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(ConsoleRunning)" /SD IDCANCEL IDRETRY again
    SetErrorLevel ${ERROR_IN_USE}
    Quit
  ${EndIf}
  Push remove
  Call un.EditPath
  !insertmacro every remove
  Delete "$INSTDIR\${CONSOLE}.old"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  ${If} $INSTDIR == "$LOCALAPPDATA\Programs\${TITLE}"
    ; Where nothing else is in it, it was made for this.
    RMDir "$LOCALAPPDATA\Programs"
  ${EndIf}
  Delete "$SMPROGRAMS\${TITLE}.lnk"
  DeleteRegKey SHCTX "${ENTRY}"
  ${If} $AllUsers == 0
    ; Not every user has it.
    DeleteRegKey /ifempty HKCU "${ENTRIES}"
  ${EndIf}
  ; Only ours: another copy may have entered itself since.
  ReadRegStr $0 SHCTX "Software\Classes\${LINK_SCHEME}\shell\open\command" ""
  ${If} $0 == '"$INSTDIR\${PROGRAM}" -- "%1"'
    DeleteRegKey SHCTX "Software\Classes\${LINK_SCHEME}"
  ${EndIf}
  ; Started with Windows, where this user chose it: src/worker/autostart.rs.
  ReadRegStr $0 HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "${TITLE}"
  ${WordFind} "$0" "$INSTDIR\${PROGRAM}" "#" $1
  ${If} $1 != "$0"
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "${TITLE}"
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run" "${TITLE}"
  ${EndIf}
  ; The window enters itself there, for its notifications: src/app/desktop/native.rs.
  DeleteRegKey HKCU "Software\Classes\AppUserModelId\${TITLE}"
  DeleteRegKey /ifempty HKCU "Software\Classes\AppUserModelId"
  ${If} $DeleteData == 1
    SetShellVarContext current
    RMDir /r "$LOCALAPPDATA\${TITLE}"
    ; The names under which Windows keeps the tokens: src/settings/secrets.rs. CRED_TYPE_GENERIC
    ${For} $0 0 99
      System::Call 'advapi32::CredDeleteW(w "connection $0 of $LOCALAPPDATA\${TITLE}\data.${TITLE}", i 1, i 0)'
    ${Next}
  ${EndIf}
SectionEnd
